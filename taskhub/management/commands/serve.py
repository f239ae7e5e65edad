"""`serve`: the web process alone; `up` starts it beside an engine."""

import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from setproctitle import setproctitle

from taskhub.bind_arguments import add_bind_arguments, chosen_bind
from taskhub.environment import BadVariable
from taskhub.listening import listen
from taskhub.refusal import CannotStart


class Command(BaseCommand):
    help = "Serve the pages and the API. Ends on SIGTERM within two seconds, requests in hand first."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bind_arguments(parser)
        parser.add_argument("--fd", type=int, help="serve on this inherited socket instead")
        parser.add_argument("--ready-fd", type=int, help="write a line here when requests are answered")

    def handle(self, *args: Any, **options: Any) -> None:
        setproctitle("taskhub web")
        try:
            listener = (
                listen(chosen_bind(options, settings.TASKHUB_BIND))
                if options["fd"] is None
                else socket.socket(fileno=options["fd"])
            )
        except (CannotStart, BadVariable) as refused:
            raise CommandError(str(refused)) from None

        def ready() -> None:
            if options["ready_fd"] is not None:
                os.write(options["ready_fd"], b"ready\n")
                os.close(options["ready_fd"])
            else:
                host, port = listener.getsockname()[:2]
                self.stdout.write(f"Serving at http://{host}:{port}/")
                self.stdout.flush()

        # Chooses Twisted's reactor, so not before this process is known to be a web process.
        from taskhub.web_server import WebServer  # isort: skip
        from taskhub.asgi import application

        WebServer(application, listener, ready=ready).serve()
