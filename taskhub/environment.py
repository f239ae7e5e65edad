"""Typed readers of environment variables; each fails at start with the name and the expected form."""

import os


def env_text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)
