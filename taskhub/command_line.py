"""The command line: `taskhub` once installed, `manage.py` in a checkout."""

import os
import sys

from taskhub.core import secrets_pipe


def main() -> None:
    secrets_pipe.take()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taskhub.settings")
    from django.core.management import execute_from_command_line

    from taskhub.environment import BadVariable

    try:
        execute_from_command_line(sys.argv)
    except BadVariable as refused:
        sys.exit(f"taskhub: {refused}")
    except KeyboardInterrupt:
        sys.exit(130)
