"""`up`: make what is missing, then keep web and engine running."""

import os
import select
import socket
import subprocess
import sys
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connections
from setproctitle import setproctitle

from jobs_app.models import Engine
from scaffolding import sample
from taskhub.bind_arguments import add_bind_arguments, chosen_bind
from taskhub.core import secrets_pipe
from taskhub.core.clock import SYSTEM
from taskhub.core.home import Home
from taskhub.data_folder import open_folder
from taskhub.environment import BadVariable, Bind
from taskhub.listening import listen
from taskhub.preparation import ADMIN, prepare_database
from taskhub.refusal import CannotStart
from taskhub.static_collecting import collect_static
from taskhub.supervisor import Service, Supervisor, launch


class Command(BaseCommand):
    help = "Bring Taskhub up: prepare the data folder and the database, then run web and engine."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bind_arguments(parser)
        parser.add_argument("--no-sample", action="store_true", help="leave the sample app out")

    def handle(self, *args: Any, **options: Any) -> None:
        setproctitle("taskhub up")
        try:
            bind = chosen_bind(options, settings.TASKHUB_BIND)
            home = Home.current()
            lock = open_folder(home)
            listener = listen(bind)
            password = self.prepare(home, with_sample=not options["no_sample"])
        except (CannotStart, BadVariable) as refused:
            self.stderr.write(f"taskhub: {refused}", style_func=str)
            sys.exit(1)
        code = self.run(home, listener, bind, password)
        lock.release()
        sys.exit(code)

    def prepare(self, home: Home, *, with_sample: bool) -> str | None:
        """Returns the first admin's password if it was made just now."""
        with ThreadPoolExecutor(1, "static") as pool:
            # Mostly compression, which leaves the interpreter to the migrations.
            collected = pool.submit(collect_static)
            password = prepare_database(clock=SYSTEM, home=home)
            if with_sample:
                install_sample(home)
            collected.result()
        connections.close_all()
        return password

    def run(self, home: Home, listener: socket.socket, bind: Bind, password: str | None) -> int:
        command = _own_command()
        started = SYSTEM.now()
        environment = {"TASKHUB_HOME": str(home.root), "TASKHUB_BIND": str(bind)}
        web_ready, web_tells = os.pipe()

        def start_web() -> subprocess.Popen[bytes]:
            sockets = ["--fd", str(listener.fileno()), "--ready-fd", str(web_tells)]
            return _start([*command, "serve", *sockets], environment, (listener.fileno(), web_tells))

        def start_engine() -> subprocess.Popen[bytes]:
            return _start([*command, "run_engine"], environment)

        def web_is_ready(pid: int) -> bool:
            return bool(select.select([web_ready], [], [], 0)[0])

        supervisor = Supervisor(
            [
                Service("The web process", start_web, web_is_ready),
                Service("The engine", start_engine, lambda pid: engine_is_ready(pid, since=started)),
            ],
            say=self.warn,
            on_ready=lambda: self.greet(home, bind, password),
            on_stop=listener.close,
        )
        return supervisor.run()

    def warn(self, sentence: str) -> None:
        self.stderr.write(f"taskhub: {sentence}", style_func=str)
        self.stderr.flush()

    def greet(self, home: Home, bind: Bind, password: str | None) -> None:
        self.stdout.write(f"Data folder: {home.root}")
        if password is not None:
            self.stdout.write(f"Sign in as {ADMIN} with the password {password} (shown only this once).")
        self.stdout.write(f"Serving at http://{bind}/")
        self.stdout.write("Taskhub is ready; Ctrl-C stops it.")
        self.stdout.flush()


def engine_is_ready(pid: int, *, since: datetime) -> bool:
    """Whether the engine with this pid has its row."""
    try:
        return Engine.objects.filter(pid=pid, state=Engine.State.RUNNING, started_at__gte=since).exists()
    except DatabaseError:
        return False
    finally:
        connections.close_all()


def install_sample(home: Home) -> None:
    try:
        sample.install(home, now=SYSTEM.now())
    except OSError as failed:
        raise CannotStart(f"Cannot put the sample app into {home.apps}: {failed.strerror}.") from None


def _own_command() -> list[str]:
    """What this process was started with, up to the name of the command."""
    given = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    return [sys.executable, *given[1:]]


def _start(
    command: list[str], environment: dict[str, str], descriptors: tuple[int, ...] = ()
) -> subprocess.Popen[bytes]:
    """Start a child; the secrets go through a pipe, so nobody finds them in its environment."""
    secrets = secrets_pipe.handover(leave_out={"TASKHUB_ADMIN_PASSWORD"})
    try:
        return launch(
            command,
            environment=secrets_pipe.clean(os.environ) | environment | {secrets_pipe.PIPE: str(secrets)},
            descriptors=(*descriptors, secrets),
        )
    finally:
        os.close(secrets)
