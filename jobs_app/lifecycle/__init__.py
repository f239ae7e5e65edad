"""The only place that writes a job's state.

Every move is one conditional UPDATE that names the state, attempt and fence it expects. If no row
moved, somebody else was first and nothing happened. `requests` serves people and programs, one job
at a time; `moves` and `ends` serve the engine, a set of jobs at a time inside its transaction.
"""

from .ends import Closed, End, ending, finish
from .moves import (
    Advanced,
    Begun,
    Claimed,
    Handover,
    Returned,
    advance,
    begin,
    claim,
    expire,
    give_back,
    moved_by_time,
    release_retries,
)
from .requests import BEFORE_START, request_cancel, restart, start

__all__ = [
    "BEFORE_START",
    "Advanced",
    "Begun",
    "Claimed",
    "Closed",
    "End",
    "Handover",
    "Returned",
    "advance",
    "begin",
    "claim",
    "ending",
    "expire",
    "finish",
    "give_back",
    "moved_by_time",
    "release_retries",
    "request_cancel",
    "restart",
    "start",
]
