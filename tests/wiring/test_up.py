"""`up` for real: it prepares, starts, restarts, and ends everything it started."""

import os
import re
import signal
import socket
import stat
import time
from pathlib import Path

import psutil
import pytest

from tests.acceptance.databases import drop_database, new_database
from tests.acceptance.harness import ADMIN_PASSWORD, Installation, free_port
from tests.support import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def fresh(tmp_path):
    """A data folder that does not exist yet."""
    made = Installation(tmp_path / "deep" / "home", database_url=new_database())
    made.home.parent.mkdir()
    yield made
    made.clean_up()
    drop_database(made.database_url)


def refused(installation, *arguments, **extra):
    """The one sentence on stderr with which `up` gave up."""
    ran = installation.manage("up", *arguments, **extra)
    assert ran.returncode == 1, ran
    sentences = ran.stderr.strip().splitlines()
    assert len(sentences) == 1, ran.stderr
    return sentences[0]


def test_a_first_start_makes_everything_and_serves(fresh):
    fresh.environment = {"TASKHUB_ADMIN_PASSWORD": ""}
    began = time.monotonic()
    process = fresh.start(sample=True)
    took = time.monotonic() - began
    printed = fresh.printed()

    assert stat.S_IMODE(fresh.home.stat().st_mode) == 0o700
    key = fresh.home / "secret.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) >= 50
    password = re.search(r"Sign in as admin with the password (\S+) ", printed).group(1)
    client = fresh.client(token="")
    assert client.get("/").headers["Location"] == "/admin/"
    page = client.get("/admin/login/")
    assert page.status == 200
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text).group(1)
    served = client.get(style)
    assert (served.status, served.headers["Content-Type"].split(";")[0]) == (200, "text/css")
    assert client.sign_in("admin", password).status == 302
    assert client.get("/admin/").status == 200
    # Ten seconds on a machine of its own; here two test workers share two cores.
    assert took < (10 if os.environ.get("PYTEST_XDIST_WORKER") is None else 30)

    assert fresh.stop(process) == 0
    fresh.nothing_runs()
    # The password is told once, and a second start keeps what is there.
    secret = key.read_text()
    fresh.stop(fresh.start(sample=True))
    assert key.read_text() == secret
    assert fresh.printed().count("with the password") == 1


@pytest.mark.one_database
def test_the_given_admin_password_is_used_and_never_printed(fresh):
    fresh.start()
    assert fresh.client(token="").sign_in("admin", ADMIN_PASSWORD).status == 302
    assert fresh.client(token="").sign_in("admin", "another").status == 200
    assert ADMIN_PASSWORD not in fresh.printed()


def test_the_pools_are_made_once_and_keep_what_people_change(installation):
    def ask(code):
        ran = installation.manage(
            "shell", "--no-imports", "-c", f"from runspaces_app.models import Pool\n{code}"
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    columns = "'name', 'kind', 'min_runspaces', 'max_runspaces', 'grace_seconds'"
    show = f"print(list(Pool.objects.values_list({columns})))"
    assert ask(show) == "[('default', 'lean', 2, 10, 5.0), ('django', 'django', 0, 10, 5.0)]"
    ask("Pool.objects.filter(name='default').update(max_runspaces=3)")
    installation.start()
    assert "('default', 'lean', 2, 3, 5.0)" in ask(show)


@pytest.mark.one_database
def test_processes_have_titles_and_sessions_of_their_own(taskhub):
    up = psutil.Process(taskhub.processes[0].pid)
    assert " ".join(up.cmdline()).strip() == "taskhub up"
    for title in ("taskhub web", "taskhub run_engine"):
        child = taskhub.named(title)
        assert os.getsid(child.pid) == child.pid
        assert child.ppid() == up.pid


@pytest.mark.parametrize("title", ["taskhub web", "taskhub run_engine"])
def test_a_killed_process_comes_back(taskhub, title):
    dead = taskhub.kill(title)
    again = wait_until(
        lambda: (new := taskhub.named(title)).pid != dead.pid and new, timeout=20, message=title
    )
    assert again.is_running()
    assert "was killed by SIGKILL; starting it again" in taskhub.printed()
    # While the web process is away, connections wait in the socket that `up` keeps open.
    assert taskhub.client(token="").get("/admin/login/").status == 200


@pytest.mark.one_database
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_one_signal_ends_everything_in_order(taskhub, number):
    began = time.monotonic()
    assert taskhub.stop(taskhub.processes[0], number) == 0
    assert time.monotonic() - began < 10
    taskhub.nothing_runs()
    assert "starting it again" not in taskhub.printed()
    assert "Traceback" not in taskhub.printed()


@pytest.mark.one_database
def test_a_second_signal_ends_everything_at_once(taskhub):
    up = taskhub.processes[0]
    engine = taskhub.named("taskhub run_engine")
    engine.suspend()  # An engine that does not answer the first signal.
    up.send_signal(signal.SIGTERM)
    wait_until(
        lambda: (
            not any("taskhub web" in " ".join(each.cmdline()) for each in psutil.Process(up.pid).children())
        )
    )
    up.send_signal(signal.SIGTERM)
    up.wait(timeout=10)
    taskhub.nothing_runs()


@pytest.mark.one_database
def test_when_up_is_killed_its_children_follow(taskhub):
    taskhub.remember()
    taskhub.processes[0].kill()
    taskhub.nothing_runs(timeout=20)


@pytest.mark.one_database
def test_a_second_up_on_the_same_folder_is_refused(taskhub):
    said = refused(taskhub, "--port", str(free_port()))
    assert f"The data folder {taskhub.home} is in use by another `taskhub up`" in said
    assert str(taskhub.processes[0].pid) in said
    assert taskhub.client(token="").get("/admin/login/").status == 200


@pytest.mark.one_database
def test_a_taken_port_is_refused(installation):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 is taken" in refused(installation, "--port", str(port))


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bind", "203.0.113.1:8000"], "203.0.113.1 is no address of this machine"),
        (["--bind", "no-such-host.invalid:80"], "the host name no-such-host.invalid is not known"),
        (["--port", "99999"], "--port: expected host:port with a port from 1 to 65535"),
    ],
)
def test_an_address_nobody_can_listen_on_is_refused(installation, arguments, sentence):
    assert sentence in refused(installation, *arguments)


@pytest.mark.one_database
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    # /sys refuses a new folder to root as well; a folder below a file cannot be made by anybody.
    (tmp_path / "file").touch()
    for folder in (Path("/sys/taskhub"), tmp_path / "file" / "home"):
        said = refused(Installation(tmp_path / "home"), TASKHUB_HOME=str(folder))
        assert f"Cannot write the data folder {folder}" in said


def test_a_database_of_a_newer_taskhub_is_refused(installation):
    ran = installation.manage(
        "shell", "--no-imports", "-c",
        "from django.db.migrations.recorder import MigrationRecorder as R\n"
        "from django.db import connection\n"
        "R(connection).record_applied('jobs_app', '9999_from_the_future')",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    said = refused(installation, "--port", str(free_port()))
    assert "was written by a newer Taskhub (it has jobs_app.9999_from_the_future)" in said


@pytest.mark.parametrize(
    ("host_id", "home", "sentence"),
    [
        ("another-host", "/data", "Another host runs Taskhub on this database"),
        (None, "/another/folder", "works on this database with the data folder /another/folder"),
    ],
)
def test_a_database_that_others_use_is_refused(installation, host_id, home, sentence):
    ran = installation.manage(
        "shell", "--no-imports", "-c",
        "import os\n"
        "from jobs_app.engine import heartbeat\n"
        "from jobs_app.models import Engine\n"
        "from runspaces_app.worker import processes\n"
        "from taskhub.core.clock import SYSTEM as clock\n"
        f"Engine.objects.create(host='elsewhere', host_id={host_id!r} or heartbeat.host_id(), home={home!r},"
        f" pid={os.getpid()}, pid_start=processes.start_ticks({os.getpid()}), boot_id=clock.boot_id(),"
        " version='0', started_at=clock.now(), beat_at=clock.now(), beat_boot=clock.boottime())",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert sentence in refused(installation, "--port", str(free_port()))


@pytest.mark.one_database
def test_a_database_out_of_reach_is_refused_without_its_password(installation):
    url = f"postgresql://hub:s3cret@127.0.0.1:{free_port()}/hub"
    said = refused(installation, "--port", str(free_port()), TASKHUB_DATABASE_URL=url)
    assert "Cannot use the database hub at 127.0.0.1" in said
    assert "s3cret" not in said


@pytest.mark.one_database
def test_a_variable_that_does_not_fit_is_refused(installation):
    assert "TASKHUB_DEBUG: expected yes or no, got 'perhaps'" in refused(
        installation, TASKHUB_DEBUG="perhaps"
    )


def test_secrets_stand_in_no_environment_of_a_process(installation):
    key = "a-secret-key-that-must-not-be-seen-by-any-script"
    database = installation.database_url or f"sqlite:///{installation.home}/db.sqlite3"
    installation.start(TASKHUB_SECRET_KEY=key, TASKHUB_DATABASE_URL=database)
    processes = installation.remember()
    assert len(processes) >= 3
    for process in processes:
        seen = (
            Path(f"/proc/{process.pid}/environ").read_bytes()
            + Path(f"/proc/{process.pid}/cmdline").read_bytes()
        )
        for secret in (key, database, ADMIN_PASSWORD):
            assert secret.encode() not in seen, process.name()
