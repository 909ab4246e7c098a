"""Every setting, read once from the environment. Each line gives unit and default; unknown SAMIA_* names are refused.

docs/settings.md is written from this source: the comment on a setting's line, or above it, is its sentence there, and a
comment that ends in a rule is a heading.

A secret may also be given as a file: SAMIA_SECRET_KEY_FILE=/run/secrets/key. A value given both ways is refused.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

BASE_DIR = Path(__file__).resolve().parent.parent
_known = {
    "SAMIA_PG_BIN",  # read by ./samia only: the folder of PostgreSQL 18's programs; empty: those of the wheel
    "SAMIA_STATE",  # read by ./samia only: the folder for its database, logs and secret; empty: .samia
}


def env_text(name: str, default: str | None = None) -> str:
    """The value, else the default; without a default its absence is refused."""
    _known.update((name, f"{name}_FILE"))
    value, path = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value is not None and path is not None:
        raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set. Keep one.")
    if path is not None:
        return Path(path).read_text().strip()
    if value is None and default is None:
        raise ImproperlyConfigured(f"{name} is not set. See docs/settings.md.")
    return value if value is not None else default or ""


def env_int(name: str, default: int, *, least: int = 0) -> int:
    value = env_text(name, str(default))
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def env_bool(name: str, default: bool) -> bool:
    value = env_text(name, "1" if default else "0").lower()
    if value not in ("0", "1", "true", "false", "yes", "no"):
        raise ImproperlyConfigured(f"{name} must be 1 or 0, not {value!r}.")
    return value in ("1", "true", "yes")


def env_list(name: str, default: str) -> list[str]:
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def database(url: str) -> dict[str, Any]:
    """A Django database of our backend for a postgresql:// address. Raises ImproperlyConfigured."""
    if urlsplit(url).scheme not in ("postgresql", "postgres"):
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql://. Only PostgreSQL 18 is supported.")
    parts = conninfo_to_dict(url)
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {
        "ENGINE": "samia_chat.db",
        **{django: str(parts.pop(libpq, "") or "") for libpq, django in known.items()},
        "OPTIONS": {
            **parts,
            # Under ASGI each request has a thread of its own: without a pool, a connection of its own as well.
            # An attempt to connect is given up soon, and the next request begins another: left to itself the pool doubles its
            # pauses, and serves nobody for as long again after PostgreSQL has come back.
            "pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 5, "reconnect_timeout": 1},
        },
        "ATOMIC_REQUESTS": True,
        # pgbouncer in transaction mode keeps no cursor between statements.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def external_fault() -> str | None:
    """What is wrong with the settings of an outside issuer, as a sentence that says what to set; None if nothing is."""
    needed = {"SAMIA_EXTERNAL_ISSUER": EXTERNAL_ISSUER, "SAMIA_EXTERNAL_AUDIENCE": EXTERNAL_AUDIENCE}
    if not (any(needed.values()) or EXTERNAL_JWKS_URL or EXTERNAL_SECRET or EXTERNAL_AUTO_CREATE):
        return None
    missing = [name for name, value in needed.items() if not value]
    if missing:
        return f"An outside issuer needs {' and '.join(missing)} too. Set it, or no SAMIA_EXTERNAL_* at all."
    if EXTERNAL_ISSUER == "samia_chat":
        return "SAMIA_EXTERNAL_ISSUER is samia_chat, which is how our own tokens are known. Set the `iss` of the other one."
    if bool(EXTERNAL_JWKS_URL) == bool(EXTERNAL_SECRET):
        return "Set exactly one of SAMIA_EXTERNAL_JWKS_URL and SAMIA_EXTERNAL_SECRET: bearers are signed in one way."
    if EXTERNAL_JWKS_URL and not is_safe_url(EXTERNAL_JWKS_URL):
        return "SAMIA_EXTERNAL_JWKS_URL must begin with https:// (http:// on this machine only) and hold no password."
    if EXTERNAL_SECRET and (len(EXTERNAL_SECRET.encode()) < 32 or EXTERNAL_SECRET.startswith("-----BEGIN")):
        return (
            "SAMIA_EXTERNAL_SECRET must be a secret of at least 32 bytes. For public keys set SAMIA_EXTERNAL_JWKS_URL."
        )
    return None


def files_fault() -> str | None:
    """What is wrong with the settings of files, as a sentence that says what to set; None if nothing is."""
    others = {
        "S3_ENDPOINT_URL": S3_ENDPOINT_URL,
        "S3_PUBLIC_ENDPOINT_URL": S3_PUBLIC_ENDPOINT_URL,
        "S3_ACCESS_KEY": S3_ACCESS_KEY,
        "S3_SECRET_KEY": S3_SECRET_KEY,
    }
    given = [name for name, value in others.items() if value]
    if given and not S3_BUCKET:
        return f"{given[0]} is set, but no bucket. Set S3_BUCKET=chat-files, or no S3_* at all: then files lie on disk."
    if bool(S3_ACCESS_KEY) != bool(S3_SECRET_KEY):
        return "Set S3_ACCESS_KEY and S3_SECRET_KEY, or neither: then boto3 looks where it usually does."
    for name in ("S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL"):
        if others[name] and not re.fullmatch(r"https?://[^/?#@\s]+", others[name]):
            return f"{name} must be an address such as https://s3.example.com, without path or password."
    if S3_ADDRESSING not in ("path", "virtual"):
        return "S3_ADDRESSING must be path or virtual."
    if CLAMAV and not re.fullmatch(r"unix:/.+|[^:/]+:[0-9]{1,5}|\[[0-9a-f:]+\]:[0-9]{1,5}", CLAMAV):
        return "SAMIA_CLAMAV must be host:port or unix:/path/of/the/socket."
    return None


def bucket_origin(endpoint: str) -> str:
    """The origin that signed addresses of the bucket begin with, for browsers' content security policy."""
    parts = urlsplit(endpoint)
    host = parts.netloc if S3_ADDRESSING == "path" else f"{S3_BUCKET}.{parts.netloc}"
    return f"{parts.scheme}://{host}"


def is_safe_url(url: str) -> bool:
    """Whether what comes from there is what its owner sent: https, or a loopback address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is no number, or half an IPv6 address
        return False
    if not host or port == 0 or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_here(host))


def is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


# The deployment -------------------------------------------------------------------------------------------------------
SECRET_KEY = env_text("SAMIA_SECRET_KEY")  # at least 32 random characters; signs cookies and access tokens
DEBUG = False  # never: problems are answered as problems, and read in the log
# The exact origins people use. The first is the one written into links; https:// there makes cookies secure and adds HSTS.
PUBLIC_ORIGINS = env_list("SAMIA_PUBLIC_ORIGINS", "http://127.0.0.1:8000,http://localhost:8000")
IS_HTTPS = PUBLIC_ORIGINS[0].startswith("https://")
TRUSTED_PROXIES = env_int("SAMIA_TRUSTED_PROXIES", 0)  # how many proxies append to X-Forwarded-For; 0 = none
LOG_LEVEL = env_text("SAMIA_LOG_LEVEL", "INFO")  # DEBUG, INFO, WARNING or ERROR
METRICS_TOKEN = env_text("SAMIA_METRICS_TOKEN", "")  # bearer for /metrics; empty: loopback addresses only
WORKERS = env_int("SAMIA_WORKERS", 1, least=1)  # web processes of this deployment; more than one needs REDIS_URL
# The folder where manage.py collectstatic puts styles, scripts and pictures of pages, to be served with hashed names, compressed,
# and as one script for each page. Empty: they are served from the source tree as they lie, and an edit is seen at once
COLLECTED_STATIC = env_text("SAMIA_STATIC", "")

# Limits, per user and minute unless said --------------------------------------------------------------------------------
RATE_MESSAGES = env_int("SAMIA_RATE_MESSAGES", 100, least=1)  # messages sent; a repeated one does not count
RATE_UPLOADS = env_int("SAMIA_RATE_UPLOADS", 30, least=1)  # files sent
RATE_VOICE = env_int("SAMIA_RATE_VOICE", 10, least=1)  # voice messages sent
RATE_WRITES = env_int("SAMIA_RATE_WRITES", 300, least=1)  # every other request that writes
RATE_READS = env_int("SAMIA_RATE_READS", 1200, least=1)  # requests that read
RATE_FRAMES = env_int("SAMIA_RATE_FRAMES", 1800, least=1)  # frames over all sockets; beyond: 4429
RATE_SIGN_IN = env_int("SAMIA_RATE_SIGN_IN", 5, least=1)  # attempts per 20 s and address
BODY_MAX_BYTES = 12 * 1024 * 1024
FILE_MAX_BYTES = 10 * 1024 * 1024
AVATAR_MAX_BYTES = 5 * 1024 * 1024  # what a phone's camera makes; 15 kB are kept of it
AVATAR_BODY_MAX_BYTES = 6 * 1024 * 1024
FRAME_MAX_BYTES = 64 * 1024

# Rules --------------------------------------------------------------------------------------------------------------------
MESSAGE_EDIT_WINDOW = env_int("SAMIA_MESSAGE_EDIT_WINDOW", 300)  # seconds in which the sender may edit or delete
EVIDENCE_DAYS = env_int("SAMIA_EVIDENCE_DAYS", 30)  # days for which former texts and deleted files are kept for staff
# Whose voice messages staff must approve before anybody else hears them: client, reader, separated by commas; empty: nobody's
VOICE_APPROVAL_ROLES = env_list("SAMIA_VOICE_APPROVAL_ROLES", "reader")
if not {"client", "reader"}.issuperset(VOICE_APPROVAL_ROLES):
    raise ImproperlyConfigured(
        "SAMIA_VOICE_APPROVAL_ROLES may name client and reader, separated by commas, and nobody else."
    )
ACCESS_TOKEN_SECONDS = 600
REFRESH_TOKEN_DAYS = 30
TICKET_SECONDS = 30
HEARTBEAT_SECONDS = env_int("SAMIA_HEARTBEAT_SECONDS", 25, least=1)  # seconds between two heartbeats of a socket

# An outside issuer of bearers -------------------------------------------------------------------------------------------
# The `iss` of its bearers, to the letter (Supabase Auth: https://PROJECT.supabase.co/auth/v1); empty: only our own are taken
EXTERNAL_ISSUER = env_text("SAMIA_EXTERNAL_ISSUER", "")
EXTERNAL_AUDIENCE = env_text("SAMIA_EXTERNAL_AUDIENCE", "")  # what their `aud` must name (Supabase Auth: authenticated)
# Where its public keys are (RS256, ES256, EdDSA); this or SAMIA_EXTERNAL_SECRET. https://, or http:// on this machine
EXTERNAL_JWKS_URL = env_text("SAMIA_EXTERNAL_JWKS_URL", "")
EXTERNAL_SECRET = env_text("SAMIA_EXTERNAL_SECRET", "")  # the secret that it signs with (HS256), at least 32 bytes
EXTERNAL_AUTO_CREATE = env_bool("SAMIA_EXTERNAL_AUTO_CREATE", False)  # 1: a bearer's unknown owner becomes a client
_fault = external_fault()
if _fault:
    raise ImproperlyConfigured(_fault)

# Database -----------------------------------------------------------------------------------------------------------------
DATABASE_POOL_SIZE = env_int("SAMIA_DATABASE_POOL_SIZE", 8, least=2)  # connections per process and alias
# "app", or "owner" for the commands that change the schema, where manage.py sets it. A server refuses to run as the owner.
DATABASE_ROLE = env_text("SAMIA_DATABASE_ROLE", "app")
# postgresql://user:password@host:port/name. DATABASE_URL signs in as samia_app and serves; DATABASE_OWNER_URL signs in as
# samia_owner, and only the commands that change the schema need it.
DATABASE_URL = env_text("DATABASE_OWNER_URL" if DATABASE_ROLE == "owner" else "DATABASE_URL")
DATABASES = {
    "default": database(DATABASE_URL),
    # What must outlive a rolled-back request (refusals, failed sign-ins, data moves) is written on this connection.
    "aside": {**database(DATABASE_URL), "ATOMIC_REQUESTS": False},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis --------------------------------------------------------------------------------------------------------------------
# redis://host:port/number, rediss:// or unix://path: events between processes, and the rates they share. Its user must be let
# into every channel. Empty: one process serves alone.
REDIS_URL = env_text("REDIS_URL", "")
if WORKERS > 1 and not REDIS_URL:
    raise ImproperlyConfigured("Several web processes need Redis between them. Set REDIS_URL, or SAMIA_WORKERS=1.")
EVENT_BUS = "samia_chat.realtime.bus.Bus"  # what passes events between processes; tests take one that loses some

# Files --------------------------------------------------------------------------------------------------------------------
# The private bucket on S3, such as chat-files; nobody may read it without a signature (manage.py doctor). Empty: files lie on
# disk, in SAMIA_FILES
S3_BUCKET = env_text("S3_BUCKET", "")
S3_REGION = env_text("S3_REGION", "us-east-1")  # of the bucket; stores that are not Amazon's mostly ignore it
S3_ENDPOINT_URL = env_text("S3_ENDPOINT_URL", "").rstrip("/")  # the store's address, empty: Amazon's of the region
# The same as browsers reach it, where that is another address: signed addresses name it. Empty: S3_ENDPOINT_URL
S3_PUBLIC_ENDPOINT_URL = env_text("S3_PUBLIC_ENDPOINT_URL", "").rstrip("/")
S3_ACCESS_KEY = env_text("S3_ACCESS_KEY", "")  # with S3_SECRET_KEY; both empty: what boto3 finds (the machine's role)
S3_SECRET_KEY = env_text("S3_SECRET_KEY", "")  # of S3_ACCESS_KEY
S3_ADDRESSING = env_text("S3_ADDRESSING", "path")  # path: store/bucket/key; virtual: bucket.store/key
# The folder of files where there is no bucket, private to the server's user; from the product's folder if it is not absolute
FILES_FOLDER = BASE_DIR / env_text("SAMIA_FILES", ".samia/files")
CLAMAV = env_text("SAMIA_CLAMAV", "")  # clamd's host:port or unix:/path; empty: files are not scanned for viruses
FILE_URL_SECONDS = 60  # how long a signed address of a file lives
_fault = files_fault()
if _fault:
    raise ImproperlyConfigured(_fault)
if S3_BUCKET:
    # Named, so that nobody has to guess which of Amazon's host names a library takes.
    S3_ENDPOINT_URL = S3_ENDPOINT_URL or f"https://s3.{S3_REGION}.amazonaws.com"
    S3_PUBLIC_ENDPOINT_URL = S3_PUBLIC_ENDPOINT_URL or S3_ENDPOINT_URL
BUCKET_ORIGIN = bucket_origin(S3_PUBLIC_ENDPOINT_URL) if S3_BUCKET else ""

# Django -------------------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",  # first: its runserver replaces Django's
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "channels",
    "procrastinate.contrib.django",
    "samia_chat",
    "audit",
    "accounts",
    "storage",
    "chat",
    "monitoring",
]
MIDDLEWARE = [
    "samia_chat.middleware.request_context",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "samia_chat.middleware.content_security_policy",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "accounts.middleware.authentication",
    "django.middleware.csrf.CsrfViewMiddleware",
]
ROOT_URLCONF = "samia_chat.urls"
ASGI_APPLICATION = "samia_chat.asgi.application"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS: list[str] = []  # accounts/services/sign_in.py is the only door
LOGIN_URL = "/sign-in"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "samia_chat.middleware.csp_nonce",
            ],
            "builtins": ["samia_chat.templatetags.samia"],
        },
    }
]

# Cookies, hosts, headers
# Always also this machine: probes ask a process directly.
ALLOWED_HOSTS = sorted({urlsplit(origin).hostname or "" for origin in PUBLIC_ORIGINS} | {"127.0.0.1", "localhost"})
CSRF_TRUSTED_ORIGINS = PUBLIC_ORIGINS
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "samia_session"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_NAME = "samia_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "samia_chat.problems.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
# To ourselves only. Without it browsers send forms with "Origin: null", which the CSRF check must refuse.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024  # of a form without its files; JSON is bounded by its parser
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]  # never in memory
FILE_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024  # of a body on its way; more goes to a temporary file
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# Languages
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "samia_language"
USE_TZ = True
TIME_ZONE = "UTC"

# Static files: see SAMIA_STATIC.
IS_COLLECTED = bool(COLLECTED_STATIC)
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / COLLECTED_STATIC if IS_COLLECTED else None
WHITENOISE_USE_FINDERS = not IS_COLLECTED
WHITENOISE_AUTOREFRESH = not IS_COLLECTED
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Only storage/bucket.py uses it.
    "files": {
        "BACKEND": "storage.s3.PrivateBucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "region_name": S3_REGION,
            "endpoint_url": S3_ENDPOINT_URL,
            "public_endpoint_url": S3_PUBLIC_ENDPOINT_URL,
            "access_key": S3_ACCESS_KEY or None,
            "secret_key": S3_SECRET_KEY or None,
            "addressing_style": S3_ADDRESSING,
        },
    }
    if S3_BUCKET
    else {"BACKEND": "storage.folder.PrivateFolder", "OPTIONS": {"location": FILES_FOLDER}},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SignedIn"],
    "DEFAULT_PERMISSION_CLASSES": ["samia_chat.api.wire.IsSignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["samia_chat.api.wire.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["samia_chat.api.wire.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "samia_chat.api.wire.JSONOnly",
    "DEFAULT_SCHEMA_CLASS": "samia_chat.openapi.Schema",
    "EXCEPTION_HANDLER": "audit.refusals.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "SAMIA TAROT chat",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # our PATCH bodies have serializers of their own
    "SORT_OPERATIONS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "ENUM_NAME_OVERRIDES": {
        "BookingStatus": "chat.models.Booking.Status",
        "FileState": "storage.models.ChatFile.State",
        "LoginKind": "accounts.models.Login.Kind",
        "MessageStatus": "chat.models.Message.Status",
        "MessageType": "chat.models.Message.Type",
        "PresenceState": "chat.serializers.session.PRESENCE",
        "Rendition": "storage.models.ChatFile.Rendition",
        "ReceiptKind": "chat.services.receipt.KINDS",
        "RoleInSession": "chat.models.Participant.Role",
        "SendableType": "chat.serializers.message.SENDABLE",
        "SessionStatus": "chat.models.ChatSession.Status",
        "SessionType": "chat.models.ChatSession.Type",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "samia_chat.openapi.complete",
    ],
    "SCHEMA_PATH_PREFIX": "/api",
}

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"  # <app>/jobs.py
LOGGING_CONFIG = "samia_chat.logs.configure"
LOGGING: dict[str, Any] = {"level": LOG_LEVEL}

_unknown = sorted(name for name in os.environ if name.startswith("SAMIA_") and name not in _known)
if _unknown:
    raise ImproperlyConfigured(f"Unknown setting: {', '.join(_unknown)}. docs/settings.md lists them all.")
