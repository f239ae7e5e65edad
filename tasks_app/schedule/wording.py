"""Schedules as people say them, where the library's sentence is right but stiff."""

import re

_STEP = re.compile(r"\*/(\d+)")


def plainer(expression: str, said: str) -> str:
    """The sentence of a cron expression, with a number in place of "every fifth minute of every hour".

    Only steps that fit into the hour or the day without a rest are told so: every seven minutes is
    not what `*/7` does.
    """
    minute, hour = expression.split()[:2]
    step = _fitting(minute, 60)
    if step:
        return re.sub(r"^Every \S+ minute(?: of every hour|(?= from ))", f"Every {step} minutes", said)
    step = _fitting(hour, 24)
    if step and minute.isdecimal():
        at = "" if int(minute) == 0 else f", at minute {int(minute)}"
        said = re.sub(r"^At minute \d+ past every \S+ hour", f"Every {step} hours{at}", said)
    return said


def _fitting(field: str, whole: int) -> int:
    found = _STEP.fullmatch(field)
    step = int(found[1]) if found else 0
    return step if 1 < step < whole and whole % step == 0 else 0
