"""Every setting of Takedown. What a host decides comes through `env.py`; the rest stands here."""

from datetime import timedelta
from pathlib import Path

from celery.schedules import schedule
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from takedown import env

HOST = env.load_or_exit()
BASE_DIR = Path(__file__).resolve().parent.parent

# -- Django ------------------------------------------------------------------------------------------
DEBUG = HOST.debug
SECRET_KEY = HOST.secret_key
ALLOWED_HOSTS = HOST.allowed_hosts
BASE_URL = HOST.base_url
ROOT_URLCONF = "takedown.urls"
# BASE_URL has no path. Else a proxy's header could put one before every address that we make.
FORCE_SCRIPT_NAME = ""
WSGI_APPLICATION = "takedown.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "audit",
    "vault",
    "providers",
    "accounts",
    "cases",
    "portal",
    "takedown",
    "takedown.staff.StaffConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "pgtrigger",
    "csp",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "takedown.middleware.Roomy",
    "takedown.middleware.DatabaseDown",
    "takedown.middleware.Headers",  # before whitenoise, so that files have them too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "portal.links.middleware.Apart",  # before anybody reads the cookie of a session
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.OpenSessions",
    "accounts.middleware.PreferredLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.StepUp",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "takedown.context.house",
            ],
            "builtins": ["takedown.templatetags.house"],
        },
    }
]
FORM_RENDERER = "takedown.widgets.QuickRenderer"

# -- Time and language: UTC inside; pages show the zone they speak in -------------------------------
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", _("Nederlands")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["takedown.formats"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

# -- Database: PostgreSQL only ------------------------------------------------------------------------
DATABASES = {
    "default": HOST.database
    | {
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "connect_timeout": 5,
            # A statement that runs longer than any page or sweep should, is a fault: stop it.
            # A plan of many small parts is no reason to compile it (jit).
            "options": "-c statement_timeout=120000 -c lock_timeout=15000 -c timezone=UTC -c jit=off",
        },
    }
}

# -- People -------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
# Of allauth only the second factors are used: none of its pages, signals and limits (accounts/factors.py).
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_RATE_LIMITS = False
MFA_ADAPTER = "accounts.factors.Adapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"

# -- How often a door may be used (accounts/throttle.py): so many times in so long, all P --------------------
# "address": one IPv4 address or one /64; "network": a /24 or a /48. An office, a school or a mobile network
# may stand behind one address.
_HOUR = timedelta(hours=1)
RATES = {
    "report": {"address": (10, _HOUR), "network": (40, _HOUR), "everybody": (1_200, _HOUR)},
    "follow": {"address": (20, _HOUR), "network": (80, _HOUR), "everybody": (6_000, _HOUR)},
    # Every try counts, the right ones too. A device that somebody logged in from before has a bucket of its own
    # for that person, and none of the others: whoever fills those shuts nobody out. A passkey cannot be guessed.
    "login": {"address": (60, _HOUR), "network": (300, _HOUR), "everybody": (6_000, _HOUR)},
    "account": {"account": (10, _HOUR), "tenant": (100, _HOUR)},
    "device": {"device": (30, _HOUR)},
    "code": {"account": (10, _HOUR)},
    # Proposals of a provider, each with a mail to an address that it names; and calls to its own servers.
    "proposal": {"tenant": (30, _HOUR), "everybody": (600, _HOUR)},
    "call": {"tenant": (60, _HOUR), "everybody": (1_200, _HOUR)},
    # Files of answers that a provider's people send to be looked at: each is kept for a while.
    "answers_file": {"tenant": (200, _HOUR), "everybody": (4_000, _HOUR)},
    # The page of a message, looked at and answered on; scanners of mail fetch it as well.
    "link": {
        "link": (120, _HOUR),
        "address": (300, _HOUR),
        "network": (1_200, _HOUR),
        "everybody": (12_000, _HOUR),
    },
    # A program: ten calls a second for as long as it likes, and 6,000 at once for who has been quiet.
    "api": {"key": (6_000, timedelta(minutes=10)), "tenant": (6_000, timedelta(minutes=10))},
}

# -- Sessions, cookies, headers ------------------------------------------------------------------------
SECURE = BASE_URL.startswith("https://")
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = round(HOST.session_longest.total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "takedown_session"
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "takedown.pages.csrf_failure"
SECURE_SSL_REDIRECT = False  # the proxy in front redirects; health checks come in by plain HTTP
SECURE_HSTS_SECONDS = 63_072_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HOST.trusted_proxies else None
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
# An uploaded list of addresses never touches the disk; a larger file goes in by `import_reports`.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# -- Files ----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = HOST.static_root
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever uploaded to disk
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if HOST.debug
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = HOST.debug
WHITENOISE_AUTOREFRESH = HOST.debug

# -- Redis: a wake-up and a cache; nothing that counts is in it ------------------------------------------
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": HOST.redis_url,
        "KEY_PREFIX": "takedown",
        "TIMEOUT": 300,
    }
}

# -- Celery: only the clock (docs/adr/0002) ---------------------------------------------------------------
CELERY = {
    "broker_url": HOST.redis_url,
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "task_time_limit": 120,
    "task_soft_time_limit": 90,
    "worker_soft_shutdown_timeout": 20,
    "worker_max_tasks_per_child": 1000,
    "worker_hijack_root_logger": False,
    "broker_transport_options": {
        "visibility_timeout": 600,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "socket_timeout": 30,
    },
    "broker_connection_retry_on_startup": True,
    # The queue "jobs" is for what runs for minutes (files, bulk, exports): it must not hold up a deadline.
    "task_routes": {
        "cases.tasks.sweep_dispatches": {"queue": "sending"},
        "cases.tasks.sweep_receipts": {"queue": "sending"},
        "cases.tasks.sweep_intake": {"queue": "jobs"},
        "cases.tasks.sweep_registries": {"queue": "jobs"},
        "cases.tasks.sweep_bulk": {"queue": "jobs"},
        "cases.tasks.sweep_figures": {"queue": "jobs"},
        "cases.tasks.sweep_mailbox": {"queue": "jobs"},
        "cases.tasks.sweep_replies": {"queue": "jobs"},
    },
    "task_default_queue": "sweeps",
    "timezone": "UTC",
    "beat_schedule": {
        name: {
            "task": f"cases.tasks.{name}",
            "schedule": schedule(HOST.sweep_every),
            "options": {"expires": max(HOST.sweep_every.total_seconds(), 1)},
        }
        for name in (
            "sweep_intake",
            "sweep_routes",
            "sweep_registries",
            "sweep_dispatches",
            "sweep_deadlines",
            "sweep_steps",
            "sweep_retention",
            "sweep_mailbox",
            "sweep_replies",
            "sweep_receipts",
            "sweep_audit",
            "sweep_figures",
            "sweep_bulk",
        )
    },
}

# -- Mail: our own relay; the notices themselves go through cases/channels --------------------------------
EMAIL_TIMEOUT = 60  # seconds; Django's default is none

# -- REST API ---------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerKey"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.KeyHasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.authentication.KeyRate"],
    "DEFAULT_PARSER_CLASSES": ["takedown.api.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "takedown.api.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "takedown.api_schema.Schema",
    "EXCEPTION_HANDLER": "takedown.api.problem",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # ?format= is a parameter that nobody knows, like any other
    "PAGE_SIZE": 100,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Takedown",
    "VERSION": "1.0.0",
    "DESCRIPTION": (
        "Reports in, notices out, answers and sightings back. JSON in UTF-8; instants are ISO 8601 in UTC. "
        "Fields and parameters that are not named here are refused. What goes wrong is a problem document "
        "(RFC 9457). Lists are pages: follow `next` until it is null."
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "TAGS": [
        {"name": "notices", "description": "For providers: what is asked of you, and what you answer."},
        {
            "name": "receipts",
            "description": "For providers: what we answered to your claims of removal, signed.",
        },
        {"name": "reports", "description": "For partners: what you saw, and what became of it."},
        {"name": "checks", "description": "For checkers: what is to be looked at."},
        {"name": "sightings", "description": "For checkers: what was seen."},
    ],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "takedown.api_schema.refuse_the_unknown",
    ],
}

# -- Logs: one line an event, to stderr; never a URL of content --------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "takedown.logs.Line"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "httpcore": {"level": "WARNING"},  # below that it tells the secret part of a webhook's URL
        "flufl.bounce": {"level": "CRITICAL"},  # below that it repeats what it stumbles over in a mail
        "fido2": {"level": "WARNING"},  # below that it tells which passkey was used
    },
}
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # redirecting to https is the front proxy's job
