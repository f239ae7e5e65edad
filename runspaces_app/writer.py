"""The output writer: one small process per engine that owns the read ends of all output pipes.

No thread of a process that runs user code is needed to take its output away, and the output of a
runspace that was killed is still taken to its end. Standard library only; the engine starts this
file as a script, `python -I -S writer.py --control-fd N --output DIR`.

    engine  → writer    {"open": id} with stdout, stderr, socket to the runspace, mark file
                        {"settle": id}: that runspace is dead
    writer  → engine    {"settled": id, "job", "attempt", "bytes", "lines", "dropped", "preview"}
    runspace → writer   {"child": 1} with stdout, stderr of its child
                        {"finish": 1, "job", "attempt"}: all that this job wrote is in the pipes
    writer  → runspace  {"job", "attempt", "bytes", "lines", "dropped", "preview"}

Finish may be asked again, by a runspace whose writer was killed over the first time: the answer is
the same and names its job. A second question that comes late does no harm, because it names its job
too (without the names, finish means whatever job is marked when it is read).
"""

import argparse
import contextlib
import os
import resource
import signal
import socket
import sys

if __name__ == "__main__":
    # Behind everything else: no module here may stand in for one of the standard library.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runspaces_app.writing.loop import Loop


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="writer.py", description="Keeps what scripts print.")
    parser.add_argument("--control-fd", type=int, required=True, help="socket to the engine")
    parser.add_argument("--output", required=True, help="folder the output goes to")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It goes when its pipes do; whoever wants it gone before has to kill it.
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Loop(control=socket.socket(fileno=options.control_fd), root=os.path.abspath(options.output)).run()


if __name__ == "__main__":
    main(sys.argv[1:])
