"""Taskhub's settings, with rights that open pages lose asked for more often than a test would wait."""

from taskhub.settings import *  # noqa: F403

LIVE_CHECK_SECONDS = 0.5
