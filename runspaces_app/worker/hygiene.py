"""Leaving a clean interpreter for the next job: restore what can be, tell what cannot.

A `Baseline` is taken once, before the first job. `restore()` puts back what a job may have
changed and returns why the runspace must be replaced, or "" if it is as good as new.
Standard library only.
"""

import _signal  # type: ignore[import-not-found] # what `signal` wraps in enums, at a fraction of the price
import builtins
import contextlib
import fcntl
import gc
import locale
import logging
import os
import resource
import signal
import sys
import threading
import time
import warnings
from typing import Any

_LIMITS = [getattr(resource, name) for name in sorted(dir(resource)) if name.startswith("RLIMIT_")]
_SIGNALS = [
    number for number in sorted(signal.valid_signals()) if number not in (signal.SIGKILL, signal.SIGSTOP)
]
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
_OWN_DESCRIPTORS = 10
_STANDARD = frozenset(sys.stdlib_module_names)


class Baseline:
    """The state of the interpreter and process as a job should find it."""

    def __init__(self) -> None:
        self._environment = dict(os.environ._data)  # type: ignore[attr-defined]
        self._directory = os.getcwd()
        self._modules = dict(sys.modules)
        self._live_builtins = vars(builtins)
        self._builtins = dict(self._live_builtins)
        self._builtins_changed = False
        self._sys = {name: getattr(sys, name) for name in _SYS_OBJECTS}
        self._lists = {name: list(getattr(sys, name)) for name in _SYS_LISTS}
        self._streams = (sys.stdin, sys.stdout, sys.stderr)
        self._stream_files = [_file_of(number) for number in (0, 1, 2)]
        self._stream_flags = [fcntl.fcntl(number, fcntl.F_GETFL) for number in (1, 2)]
        self._signals = [_signal.getsignal(number) for number in _SIGNALS]
        self._mask = _signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._limits = _limits()
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._locale = locale.setlocale(locale.LC_ALL)
        self._zone = (time.tzname, time.timezone)
        self._recursion = sys.getrecursionlimit()
        self._switch = sys.getswitchinterval()
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)
        self._collector = (gc.isenabled(), gc.get_threshold(), gc.get_debug(), list(gc.callbacks))
        root = logging.getLogger()
        self._logging = (root.level, list(root.handlers), list(root.filters), root.manager.disable)
        self._loggers = set(root.manager.loggerDict)
        self._warnings = list(warnings.filters)
        self._showwarning = warnings.showwarning
        # Held open: to ask an open folder costs a third of finding it by its path, after every job.
        self._folders = [_open_folder(f"/proc/self/{name}") for name in ("task", "fd")]
        self._hooks = (threading.excepthook, threading._trace_hook, threading._profile_hook)  # type: ignore[attr-defined]
        self.counts()

    def counts(self) -> None:
        """Count threads and descriptors anew: those of the runspace itself are all there now."""
        self._threads = self._thread_count()
        self._descriptors = self._open_descriptors()

    def repair_builtins(self) -> None:
        """Put `len` and its like back at once: what we do before anything else is checked calls them.

        Uses none of them itself. Whoever changed them may hold on to what they got; `restore` says so.
        """
        live = self._live_builtins
        if live == self._builtins:
            return
        self._builtins_changed = True
        for name in [*live]:
            if name not in self._builtins:
                del live[name]
        live.update(self._builtins)

    def restore(self) -> str:
        """Put everything back.

        Returns:
            Why the runspace must not be used again, or "".
        """
        return (
            self._leftovers()
            or self._restore_interpreter()
            or self._restore_process()
            or self._drop_modules()
        )

    def _leftovers(self) -> str:
        # The streams first: a script that closed or replaced them has made the rest unreadable.
        if [_file_of(number) for number in (0, 1, 2)] != self._stream_files:
            return "left other files as standard streams"
        try:
            if self._thread_count() != self._threads:
                return "left threads"
            if self._open_descriptors() != self._descriptors:
                return "left descriptors"
        except OSError:
            return "closed descriptors that are not its own"
        self.repair_builtins()
        if self._builtins_changed:
            return "changed builtins"
        return ""

    def _thread_count(self) -> int:
        # Threads made by C code have no Python object; the link count of the folder counts them all.
        return os.fstat(self._folders[0]).st_nlink

    def _open_descriptors(self) -> object:
        """What is open: how many, where the kernel tells that at once (Linux 6.2), else which."""
        return os.fstat(self._folders[1]).st_size or set(os.listdir("/proc/self/fd"))

    def _restore_interpreter(self) -> str:
        if any(stream.closed for stream in self._streams):
            return "closed a standard stream"
        sys.stdin, sys.stdout, sys.stderr = self._streams
        for name, value in self._sys.items():
            if getattr(sys, name) is not value:
                setattr(sys, name, value)
        for name, items in self._lists.items():
            if getattr(sys, name) != items:
                getattr(sys, name)[:] = items
        if sys.gettrace() is not None:
            sys.settrace(None)
        if sys.getprofile() is not None:
            sys.setprofile(None)
        if sys.getrecursionlimit() != self._recursion:
            sys.setrecursionlimit(self._recursion)
        if sys.getswitchinterval() != self._switch:
            sys.setswitchinterval(self._switch)
        self._restore_logging()
        if warnings.filters != self._warnings:
            warnings.filters[:] = self._warnings  # type: ignore[index]
            warnings._filters_mutated()  # type: ignore[attr-defined]
        warnings.showwarning = self._showwarning
        threading.excepthook = self._hooks[0]
        threading._trace_hook, threading._profile_hook = self._hooks[1:]  # type: ignore[attr-defined]
        enabled, threshold, debug, callbacks = self._collector
        if gc.get_threshold() != threshold:
            gc.set_threshold(*threshold)
        if gc.get_debug() != debug:
            gc.set_debug(debug)
        if gc.isenabled() != enabled:
            (gc.enable if enabled else gc.disable)()
        gc.callbacks[:] = callbacks
        return ""

    def _restore_logging(self) -> None:
        root = logging.getLogger()
        level, handlers, filters, disabled = self._logging
        if root.handlers != handlers:
            for handler in set(root.handlers) - set(handlers):
                with contextlib.suppress(Exception):
                    handler.close()
            root.handlers[:] = handlers
        if root.filters != filters:
            root.filters[:] = filters
        if root.level != level:
            root.setLevel(level)
        if root.manager.disable != disabled:
            logging.disable(disabled)
        loggers = root.manager.loggerDict
        if len(loggers) != len(self._loggers):
            for name in set(loggers) - self._loggers:
                del loggers[name]

    def _restore_process(self) -> str:
        self._restore_environment()
        if (time.tzname, time.timezone) != self._zone:
            time.tzset()
        os.chdir(self._directory)
        os.umask(self._umask)
        for timer in _TIMERS:
            if signal.getitimer(timer) != (0.0, 0.0):
                signal.setitimer(timer, 0)
        if [_signal.getsignal(number) for number in _SIGNALS] != self._signals:
            self._restore_signals()
        _signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        for number, flags in zip((1, 2), self._stream_flags, strict=True):
            if fcntl.fcntl(number, fcntl.F_GETFL) != flags:
                # A child such as node makes the shared pipe non-blocking for everybody.
                fcntl.fcntl(number, fcntl.F_SETFL, flags)
        if locale.setlocale(locale.LC_ALL) != self._locale:
            locale.setlocale(locale.LC_ALL, self._locale)
        if _limits() != self._limits and not self._restore_limits():
            return "lowered a resource limit for good"
        if os.getpriority(os.PRIO_PROCESS, 0) != self._nice:
            return "changed its priority"
        return ""

    def _restore_limits(self) -> bool:
        for limit, before in zip(_LIMITS, self._limits, strict=True):
            if resource.getrlimit(limit) != before:
                try:
                    resource.setrlimit(limit, before)
                except (ValueError, OSError):
                    return False
        return True

    def _restore_environment(self) -> None:
        # The raw mapping: decoding names and values costs forty times as much, and this runs after every job.
        data: dict[bytes, bytes] = os.environ._data  # type: ignore[attr-defined]
        before = self._environment
        for name in [name for name in data if name not in before]:
            os.unsetenv(name)
            del data[name]
        for name, value in before.items():
            if data.get(name) != value:
                os.putenv(name, value)
                data[name] = value

    def _restore_signals(self) -> None:
        for number, handler in zip(_SIGNALS, self._signals, strict=True):
            if handler is not None and _signal.getsignal(number) != handler:
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(number, handler)

    def _drop_modules(self) -> str:
        modules, before = sys.modules, self._modules
        modules["__main__"] = before["__main__"]
        if modules == before:
            return ""
        for name in [name for name in modules if name not in before]:
            if _is_foreign_extension(name, modules[name]):
                # A second import of the same shared object in one process fails or crashes.
                return f"imported the extension module {name}"
            del modules[name]
        modules.update(before)
        return ""


_SYS_OBJECTS = (
    "path", "meta_path", "path_hooks", "modules", "excepthook", "unraisablehook", "displayhook",
    "breakpointhook", "__stdout__", "__stderr__", "__stdin__",
)  # fmt: skip
_SYS_LISTS = ("path", "meta_path", "path_hooks", "argv")


def _file_of(descriptor: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _open_folder(path: str) -> int:
    """A descriptor of it, above those that scripts use and not inherited by what they start."""
    low = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _OWN_DESCRIPTORS)
    finally:
        os.close(low)


def _limits() -> list[tuple[int, int]]:
    return list(map(resource.getrlimit, _LIMITS))


def _is_foreign_extension(name: str, module: Any) -> bool:
    file = getattr(module, "__file__", None) or ""
    return file.endswith(".so") and name.partition(".")[0] not in _STANDARD
