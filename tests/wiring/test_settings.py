"""What the settings promise to browsers, and what they refuse."""

import subprocess
import sys

import pytest
from django.test import Client

from tests.acceptance.harness import ROOT

pytestmark = pytest.mark.one_database


def read(expression, **environment):
    """The value of an expression over the settings, read by a process with these variables."""
    ran = subprocess.run(
        [sys.executable, "-c", f"from taskhub import settings as s; print({expression})"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ran.stdout.strip() or ran.stderr.strip().splitlines()[-1]


def test_a_page_carries_the_policy_that_keeps_foreign_scripts_out(db):
    policy = Client().get("/admin/login/").headers["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["script-src"] == "'self' 'unsafe-eval'"
    assert rules["style-src"] == "'self' 'unsafe-inline'"
    assert rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"
    assert (rules["object-src"], rules["base-uri"], rules["frame-ancestors"]) == (
        "'none'",
        "'self'",
        "'none'",
    )


def test_a_page_may_not_be_framed_sniffed_or_told_about(db):
    headers = Client().get("/admin/login/").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_foreign_host_name_is_refused(db):
    assert Client().get("/admin/login/", headers={"host": "evil.example"}).status_code == 400


def test_behind_https_cookies_are_secure():
    names = "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0"
    assert read(names) == "False False False"
    assert read(names, TASKHUB_HTTPS="yes") == "True True True"


def test_the_host_listened_on_is_served():
    assert "'hub.example.org'" in read("s.ALLOWED_HOSTS", TASKHUB_BIND="hub.example.org:80")
    assert "[::1]" in read("s.ALLOWED_HOSTS", TASKHUB_BIND="[::1]:80")
    assert "0.0.0.0" not in read("s.ALLOWED_HOSTS", TASKHUB_BIND=":80")  # noqa: S104 - read, not listened on


def test_a_short_secret_key_is_refused_and_not_shown():
    said = read("s.SECRET_KEY", TASKHUB_SECRET_KEY="hunter2")
    assert "TASKHUB_SECRET_KEY: expected 32 characters or more" in said
    assert "hunter2" not in said


def test_the_key_of_the_data_folder_is_used(tmp_path):
    (tmp_path / "secret.key").write_text("k" * 50 + "\n")
    assert read("s.SECRET_KEY", TASKHUB_HOME=str(tmp_path)) == "k" * 50
    # Without one each process has a key of its own, and no file appears.
    assert len(read("s.SECRET_KEY", TASKHUB_HOME=str(tmp_path / "none"))) >= 50
    assert not (tmp_path / "none").exists()


def test_debug_is_off_unless_asked_for():
    assert read("s.DEBUG") == "False"
    assert read("s.DEBUG", TASKHUB_DEBUG="yes") == "True"
