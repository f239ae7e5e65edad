"""Who else uses the database: for now only processes of one host and one data folder may."""

from jobs_app.engine import heartbeat
from jobs_app.models import Engine
from taskhub.core.clock import Clock
from taskhub.core.home import Home
from taskhub.refusal import CannotStart


def refuse_neighbours(*, clock: Clock, home: Home) -> None:
    """Make sure that no living engine works with other files than ours.

    Raises:
        CannotStart: one runs on another host, or here with another data folder.
    """
    try:
        heartbeat.refuse_foreign_host(clock)
    except heartbeat.ForeignHost as refused:
        raise CannotStart(
            f"Another host runs Taskhub on this database ({refused}); all of its processes have to share one "
            "host for now, so stop the other or use another TASKHUB_DATABASE_URL."
        ) from None
    elsewhere = Engine.objects.filter(
        state__in=(Engine.State.RUNNING, Engine.State.DRAINING), host_id=heartbeat.host_id()
    ).exclude(home=str(home.root))
    for engine in elsewhere:
        if not heartbeat.is_dead(engine, clock=clock):
            raise CannotStart(
                f"Engine {engine.pk} works on this database with the data folder {engine.home}; "
                f"start with TASKHUB_HOME={engine.home}, or use another TASKHUB_DATABASE_URL."
            )
