"""Taskhub's settings as the tests use them: a data folder of their own, the database asked for.

`TASKHUB_TEST_DATABASE` chooses it: `sqlite` (default) or `postgresql`, a real server that the
first process of a run starts and the workers share.
"""

import os
import tempfile

from tests import postgres

os.environ["TASKHUB_HOME"] = tempfile.mkdtemp(prefix="taskhub-tests-")
os.environ.setdefault("TASKHUB_SECRET_KEY", "known-to-everybody-and-good-for-tests-only-0123456789")

DATABASE = os.environ.get("TASKHUB_TEST_DATABASE", "sqlite")
if DATABASE == "postgresql":
    os.environ["TASKHUB_DATABASE_URL"] = postgres.address()
elif DATABASE == "sqlite":
    os.environ.pop("TASKHUB_DATABASE_URL", None)
else:
    raise ValueError(f"TASKHUB_TEST_DATABASE: expected sqlite or postgresql, got {DATABASE!r}")

from taskhub.settings import *  # noqa: E402, F403 - the variables above have to be set first
from taskhub.settings import DATABASES, MIDDLEWARE, TASKHUB_HOME  # noqa: E402

if DATABASE == "sqlite":
    # A file, as in earnest: processes and threads of a test have to meet in it.
    DATABASES["default"].setdefault("TEST", {})["NAME"] = str(TASKHUB_HOME / "test.sqlite3")

# Hashing that takes its time is right for sign-in and wrong for a thousand test users.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Served by the middleware only where `up` runs; to the test client it would add a change of threads.
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("servestatic.")]
# Pages are tested without `collectstatic` having run.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
