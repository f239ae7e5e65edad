"""Settings of Taskhub, in titled sections."""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.management.utils import get_random_secret_key
from servestatic.compress import Compressor

from taskhub import admin_settings
from taskhub.database_url import database
from taskhub.environment import BadVariable, env_bind, env_bool, env_choice, env_list, env_path, env_text

# Places
BASE_DIR = Path(__file__).resolve().parent.parent
CHECKOUT = (BASE_DIR / "manage.py").is_file() and (BASE_DIR / "pyproject.toml").is_file()
# Templates, static files and fixtures: beside manage.py in a checkout, inside the package once installed.
FILES_DIR = BASE_DIR if CHECKOUT else BASE_DIR / "taskhub" / "files"
TASKHUB_HOME = env_path(
    "TASKHUB_HOME", BASE_DIR / "var" if CHECKOUT else Path("~/.local/share/taskhub").expanduser()
)
TASKHUB_BIND = env_bind("TASKHUB_BIND", "127.0.0.1:8000")

# Security
DEBUG = env_bool("TASKHUB_DEBUG", False)
# Shown on every page, so that nobody takes one installation for another.
TASKHUB_ENVIRONMENT = env_text("TASKHUB_ENVIRONMENT")


def _secret_key() -> str:
    """The variable, else the data folder's file, else one that nobody else has and that dies with us."""
    given = env_text("TASKHUB_SECRET_KEY")
    if given and len(given) < 32:
        raise BadVariable("TASKHUB_SECRET_KEY", "32 characters or more", given)
    try:
        return given or (TASKHUB_HOME / "secret.key").read_text().strip() or get_random_secret_key()
    except OSError:
        return get_random_secret_key()


SECRET_KEY = _secret_key()
_LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
_BOUND_HOSTS = [] if TASKHUB_BIND.host in ("0.0.0.0", "::") else [str(TASKHUB_BIND).rpartition(":")[0]]  # noqa: S104
ALLOWED_HOSTS = env_list("TASKHUB_ALLOWED_HOSTS", [*_LOCAL_HOSTS, *_BOUND_HOSTS])

# A browser reaches us by plain HTTP on this machine, or by HTTPS through a proxy in front of us.
HTTPS = env_bool("TASKHUB_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "taskhub_session"
CSRF_COOKIE_NAME = "taskhub_csrf"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether other names of the domain speak HTTPS is not ours to say,
    "security.W021",  # nor whether browsers should know it beforehand
    "security.W008",  # the proxy that speaks HTTPS redirects; health checks come to us by plain HTTP
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # The admin's Alpine evaluates its attributes; inline scripts stay forbidden all the same.
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# What an API call may carry is bounded by the API's own parser, in bytes.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# Applications
INSTALLED_APPS = [
    # Without its own default site: ours is named by the next line.
    "unfold.apps.BasicAppConfig",
    "taskhub.admin_config.TaskhubAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "channels",
    "csp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "taskhub",
    "taskhub.core",
    "scaffolding",
    "runspaces_app",
    "tasks_app",
    "jobs_app",
]
MIDDLEWARE = [
    # First, so that it also sees what the others refuse.
    "taskhub.core.api.middleware.api_answers",
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "taskhub.urls"
ASGI_APPLICATION = "taskhub.asgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [FILES_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database
DATABASES = {
    "default": database(env_text("TASKHUB_DATABASE_URL"), home=TASKHUB_HOME, name="TASKHUB_DATABASE_URL")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Live pages: a channel layer carries wakes only, never data, so losing them all costs a poll.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Sign-in
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# REST API
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "taskhub.core.api.negotiation.ByAcceptOrFormat",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "taskhub.core.api.authentication.BearerTokens",
        "taskhub.core.api.authentication.Sessions",
    ],
    # Closed unless a view names its line of the permission table.
    "DEFAULT_PERMISSION_CLASSES": ["taskhub.core.api.rights.TableRights"],
    "DEFAULT_PARSER_CLASSES": ["taskhub.core.api.bodies.StrictJSON"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "taskhub.core.api.refusals.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Taskhub",
    "DESCRIPTION": "Run scripts now or by schedule, watch them, and manage what runs them.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "DEFAULT_GENERATOR_CLASS": "taskhub.core.api.documents.DocumentGenerator",
    # Several things have a state; each of them gets a name of its own in the document.
    "ENUM_NAME_OVERRIDES": {
        "JobState": "jobs_app.states.JobState",
        "RunspaceState": "runspaces_app.models.Runspace.State",
        "EngineState": "jobs_app.models.Engine.State",
    },
    # The documentation is served by ourselves; no page asks another host for anything.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# Time and language
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

# Static files: collected by `up`, served by the web process itself.
STATIC_URL = "/static/"
STATIC_ROOT = TASKHUB_HOME / "static"
STATICFILES_DIRS = [FILES_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "taskhub.static_storage.StaticStorage"},
}
SERVESTATIC_ALLOW_ALL_ORIGINS = False
# Source maps are large and asked for by developer tools only; compressing them costs two seconds of a start.
SERVESTATIC_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Admin
TASKHUB_ENVIRONMENT = env_text("TASKHUB_ENVIRONMENT")
UNFOLD = admin_settings.skin()
CSRF_FAILURE_VIEW = "taskhub.admin_errors.csrf_refused"

# Live pages: how often an open socket asks again who its user is and what he may see.
LIVE_CHECK_SECONDS = 30.0

# Logging: to stderr, one line each, with the process that wrote it.
LOG_LEVEL = env_choice("TASKHUB_LOG_LEVEL", "INFO", of=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {processName} {name}: {message}", "style": "{"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL, "propagate": True},
        # Refused requests are answers, not events; what goes wrong with us is logged as an error.
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "ERROR"},
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
        "daphne": {"level": "WARNING"},
        "asyncio": {"level": "WARNING"},
    },
}
