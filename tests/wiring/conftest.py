"""Tests of the wiring start real processes too."""

from tests.acceptance.conftest import installation, installations, prepared, taskhub

__all__ = ["installation", "installations", "prepared", "taskhub"]
