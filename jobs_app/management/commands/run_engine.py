"""`run_engine`: the process that decides, claims, runs and writes."""

import logging
import signal
import sys
from argparse import ArgumentParser
from typing import Any

import setproctitle
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from jobs_app.engine.loop import Engine
from taskhub.core import console, home, secrets_pipe
from taskhub.core.clock import SYSTEM
from taskhub.core.errors import TaskhubError


class Command(BaseCommand):
    help = "Run the engine until it is told to stop."
    # They would import every page and endpoint, which takes longer than the work.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        ends = parser.add_mutually_exclusive_group()
        ends.add_argument(
            "--once", action="store_true", help="decide what is due, run what is queued, and end"
        )
        ends.add_argument(
            "--drain", action="store_true", help="run what is queued, decide nothing new, and end"
        )

    def handle(self, *args: Any, once: bool, drain: bool, **options: Any) -> None:
        setproctitle.setproctitle("taskhub run_engine")
        logging.getLogger("taskhub").setLevel(logging.INFO)
        place = home.current()
        place.create()
        try:
            engine = Engine(
                clock=SYSTEM, home=place, version=_version(), once=once, drain=drain, secrets=_secrets
            )
        except TaskhubError as exc:
            raise CommandError(str(exc)) from exc
        except DatabaseError as exc:
            raise CommandError(
                f"The database cannot be used; `taskhub up` prepares it. It said: {console.plain(str(exc))}"
            ) from exc
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: engine.request_stop())
        sys.stdout.write(f"Engine {engine.id} runs.\n")
        sys.stdout.flush()
        engine.run()
        sys.stdout.write("Engine has ended.\n")
        if engine.gave_up_on:
            names = ", ".join(sorted(engine.gave_up_on))
            raise CommandError(f"No runspace came up in {names}: what waits there is still queued.")


def _secrets() -> int:
    """What the server of the django pool needs to open the database."""
    return secrets_pipe.handover(leave_out={"TASKHUB_ADMIN_PASSWORD"})


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("taskhub")
    except metadata.PackageNotFoundError:
        return "checkout"
