"""Settings: the environment in, no branches per environment, nothing per vendor.

Variables: DATABASE_URL, HUB_DATA_DIR, HUB_SECRET_KEY, HUB_ENCRYPTION_KEYS, HUB_ALLOWED_HOSTS, HUB_ORIGINS,
HUB_ALLOWED_NETWORKS, HUB_METRICS_TOKEN, HUB_URL, HUB_EMAIL_URL, HUB_EMAIL_FROM, HUB_HTTPS, HUB_DEBUG, HUB_LOG_LEVEL, REDIS_URL and the times of the spine
(HUB_…_TIMEOUT, _LEASE, _WAIT).  docs/operations/settings.md explains each.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from . import embedded, environment, logs, unfold

BASE_DIR = environment.BASE_DIR
DATA_DIR = environment.data_dir()
DEBUG = environment.flag("HUB_DEBUG")
SECRET_KEY = environment.secret_key()
HUB_ENCRYPTION_KEYS = environment.encryption_keys()
HUB_ALLOWED_NETWORKS = environment.networks("HUB_ALLOWED_NETWORKS")
HUB_MAX_WEBHOOK_BYTES = 1024 * 1024
HUB_CONNECT_TIMEOUT = environment.seconds("HUB_CONNECT_TIMEOUT", 5)
HUB_READ_TIMEOUT = environment.seconds("HUB_READ_TIMEOUT", 30)
HUB_EVENT_LEASE = environment.seconds("HUB_EVENT_LEASE", 120)
HUB_COMMAND_LEASE = environment.seconds("HUB_COMMAND_LEASE", 240)
HUB_POLL_LEASE = environment.seconds("HUB_POLL_LEASE", 180)
HUB_UNCLEAR_WAIT = environment.seconds("HUB_UNCLEAR_WAIT", 30)
HUB_LONGEST_WAIT = environment.seconds("HUB_LONGEST_WAIT", 3600)
HUB_CASE_AFTER = environment.seconds("HUB_CASE_AFTER", 3600)
HUB_CASE_TRIES = environment.whole("HUB_CASE_TRIES", 12)
HUB_BREAKER_WINDOW = environment.seconds("HUB_BREAKER_WINDOW", 300)
HUB_BREAKER_FAILURES = environment.whole("HUB_BREAKER_FAILURES", 10)
HUB_BREAKER_PERCENT = environment.whole("HUB_BREAKER_PERCENT", 35)
HUB_BREAKER_COOLDOWN = environment.seconds("HUB_BREAKER_COOLDOWN", 120)
HUB_BREAKER_LONGEST = environment.seconds("HUB_BREAKER_LONGEST", 900)
HUB_BREAKER_SUCCESSES = environment.whole("HUB_BREAKER_SUCCESSES", 3)
HUB_BREAKER_CASE_AFTER = environment.seconds("HUB_BREAKER_CASE_AFTER", 900)
HUB_BULK_AFTER = environment.seconds("HUB_BULK_AFTER", 24 * 3600 - 1)
HUB_STOP_GRACE = environment.seconds("HUB_STOP_GRACE", 15)
HUB_SILENCE_YEARS = environment.whole("HUB_SILENCE_YEARS", 10)
HUB_HOME_COUNTRY = os.environ.get("HUB_HOME_COUNTRY", "DE")
HUB_BOOK_CURRENCY = os.environ.get("HUB_BOOK_CURRENCY", "EUR")
HUB_URL = os.environ.get("HUB_URL", "").rstrip("/")
HUB_EMAIL_URL = os.environ.get("HUB_EMAIL_URL", "")
HUB_METRICS_TOKEN = os.environ.get("HUB_METRICS_TOKEN", "")
ALLOWED_HOSTS = environment.words("HUB_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = environment.words("HUB_ORIGINS")

INSTALLED_APPS = [
    "integration_hub.apps.HubConfig",
    "exceptions",
    "inventory",
    "customers",
    "orders",
    "payments",
    "accounting",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_q",
    "django_filters",
    "import_export",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
]
MIDDLEWARE = [
    "integration_hub.messaging.middleware.WebhookDoor",
    "integration_hub.backoffice.middleware.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "integration_hub.backoffice.middleware.Origin",
    "integration_hub.backoffice.language.Language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
UNFOLD = unfold.UNFOLD
ROOT_URLCONF = "integration_hub.urls"
WSGI_APPLICATION = "integration_hub.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ]
        },
    }
]

# One kept connection per thread; never OPTIONS["pool"] in the process that runs qcluster (it hangs, measured).
DATABASES: dict[str, dict[str, Any]] = {
    "default": embedded.parse(os.environ.get("DATABASE_URL") or embedded.start(DATA_DIR / "postgres"))
    | {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True, "TEST": {"NAME": os.environ.get("HUB_TEST_DATABASE")}}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "integration_hub.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # by name alone anyone could lock out anyone
AXES_VERBOSE = False
AXES_LOCKOUT_TEMPLATE = "hub/locked.html"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "admin:login"

HTTPS = environment.flag("HUB_HTTPS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = HUB_MAX_WEBHOOK_BYTES

LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "hub_language"
TIME_ZONE = os.environ.get("HUB_TIME_ZONE", "Europe/Berlin")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = environment.folder("static")
STATICFILES_DIRS = [BASE_DIR / "integration_hub" / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "integration_hub.api.auth.RoleTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["integration_hub.api.auth.HasModelPermission"],
    "DEFAULT_FILTER_BACKENDS": ["integration_hub.api.filters.KnownFilters"],
    "DEFAULT_PAGINATION_CLASS": "integration_hub.api.pagination.Keyset",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["integration_hub.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "integration_hub.api.problems.problem_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 50,
}
REST_KNOX = {
    "TOKEN_MODEL": "integration_hub.ApiToken",
    "SECURE_HASH_ALGORITHM": "hashlib.sha256",
    "TOKEN_TTL": None,
    "AUTH_HEADER_PREFIX": "Bearer",
}
KNOX_TOKEN_MODEL = "integration_hub.ApiToken"  # noqa: S105  the name of a model
SPECTACULAR_SETTINGS = {
    "TITLE": "Integration Hub",
    "VERSION": "1",
    "DESCRIPTION": "Orders, customers, products, the exception list and connections of one merchant.",
    "SERVE_PUBLIC": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],  # states stand where they are used; as components their names would collide
}

# django-q2 only wakes; our rows own retries and truth.  Why each value: docs/decisions/0003-django-q2-only-kicks.md
Q_CLUSTER: dict[str, Any] = {
    "name": "hub",
    "workers": environment.whole("HUB_WORKERS", 2),
    "ALT_CLUSTERS": {"batch": {"workers": environment.whole("HUB_BATCH_WORKERS", 1)}},
    "scheduler": False,
    "timeout": 60,
    "retry": max(300, int(HUB_COMMAND_LEASE) + 80),  # longer than any task may take
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "queue_limit": 2,
    "bulk": 1,
    "recycle": 500,
    "catch_up": False,
    "poll": 0.5,
    "label": "Django Q2",
} | (
    {"redis": os.environ["REDIS_URL"], "broker_class": "integration_hub.messaging.brokers.RedisKicks"}
    if os.environ.get("REDIS_URL")
    else {"orm": "default", "broker_class": "integration_hub.messaging.brokers.DatabaseKicks"}
)

DEFAULT_FROM_EMAIL = os.environ.get("HUB_EMAIL_FROM", "Integration Hub <hub@localhost>")
globals().update(environment.mail())

LOGGING = logs.LOGGING
