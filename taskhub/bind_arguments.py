"""`--bind` and `--port`, the same for every command that listens."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from taskhub.environment import Bind, parse_bind


def add_bind_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--bind", metavar="HOST:PORT", help="where to listen; without it TASKHUB_BIND")
    parser.add_argument("--port", metavar="PORT", help="another port on the same host")


def chosen_bind(options: Mapping[str, Any], default: Bind) -> Bind:
    """What the arguments ask for; a host alone keeps the default's port.

    Raises:
        BadVariable: naming the argument.
    """
    bind = default
    if text := options["bind"]:
        alone = ":" not in text and not text.isdigit()
        bind = parse_bind(f"{text}:{default.port}" if alone else text, name="--bind")
    if options["port"]:
        bind = Bind(bind.host, parse_bind(options["port"], name="--port").port)
    return bind
