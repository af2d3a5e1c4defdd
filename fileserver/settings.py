"""Settings: from the environment only, and none has to be set.

README.md, "Settings", tells what each variable does.
"""

import os
from pathlib import Path

from fileserver.databases import configured_database
from fileserver.environment import (
    env_bool,
    env_bytes,
    env_choice,
    env_int,
    env_list,
    env_networks,
    env_secret,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# The file server's own
FILESERVER_DATA_DIR = Path(os.environ.get("FILESERVER_DATA_DIR") or BASE_DIR / "var").absolute()
FILESERVER_ACCESS = env_choice("FILESERVER_ACCESS", ("open", "read", "private"))
FILESERVER_ALLOW_OPEN = env_bool("FILESERVER_ALLOW_OPEN")
FILESERVER_MAX_UPLOAD_SIZE = env_bytes("FILESERVER_MAX_UPLOAD_SIZE")
FILESERVER_DURABILITY = env_choice("FILESERVER_DURABILITY", ("full", "normal"))
FILESERVER_THREADS = env_int("FILESERVER_THREADS", 256)
FILESERVER_TRASH_DAYS = env_int("FILESERVER_TRASH_DAYS", 30, most=36_500)
FILESERVER_UPLOAD_DAYS = env_int("FILESERVER_UPLOAD_DAYS", 7, least=1, most=3_650)
FILESERVER_TRUSTED_PROXIES = env_networks("FILESERVER_TRUSTED_PROXIES")
FILESERVER_URL_PREFIX = "/" + os.environ.get("FILESERVER_URL_PREFIX", "").strip("/")

# Core
SECRET_KEY = env_secret("FILESERVER_SECRET_KEY", made_at=FILESERVER_DATA_DIR / "secret_key")
DEBUG = False
ALLOWED_HOSTS = env_list("FILESERVER_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "crispy_forms",
    "crispy_bootstrap5",
    "files",
]
MIDDLEWARE = [
    "files.middleware.ResumableUploadsMiddleware",
    "files.middleware.RequestGuardMiddleware",
    "files.middleware.SecurityHeadersMiddleware",
    "files.middleware.LendConnectionMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "files.middleware.PageLocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "files.middleware.CrossSiteMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "files.middleware.ActorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "fileserver.urls"
WSGI_APPLICATION = "fileserver.wsgi.application"
# The plain routes have no trailing slash, and a redirect would lose a body.
APPEND_SLASH = False
if FILESERVER_URL_PREFIX != "/":
    FORCE_SCRIPT_NAME = FILESERVER_URL_PREFIX
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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
DATABASES = {"default": configured_database(FILESERVER_DATA_DIR, FILESERVER_DURABILITY)}
# For commands that open a second database.
FILESERVER_DATABASE_SETTINGS = "fileserver.databases.database_settings"
# In each process, to a database server.
FILESERVER_DATABASE_CONNECTIONS = env_int("FILESERVER_DATABASE_CONNECTIONS", 16, least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Requests: uploads never reach Django's parsers, and nothing else brings a file
FILE_UPLOAD_HANDLERS = ["files.http.uploads.RefusingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

# REST framework: request.actor decides, errors are problem+json, answers are JSON
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "files.api.schema.FilesSchema",
    "EXCEPTION_HANDLER": "files.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "File server",
    "VERSION": "1",
    "DESCRIPTION": (
        "Keeps files in a database. Every refusal is `application/problem+json` (RFC 9457) with a"
        " `code` for programs and a `detail` for people. What strangers may do is the operator's"
        " choice; who is signed in sends the session's token with each change."
    ),
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": FILESERVER_URL_PREFIX, "description": "This server"}],
    "DEFAULT_GENERATOR_CLASS": "files.api.schema.FilesSchemaGenerator",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}

# Sign-in
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "files:list"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "files.views.errors.csrf_failure"

# Security headers; the policy of content itself is files.http.download's
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
# A proxy redirects to https and promises it for the future; cookies are made secure
# for each request that came over TLS (files.middleware.SecurityHeadersMiddleware).
SILENCED_SYSTEM_CHECKS = [f"security.W{number}" for number in ("004", "008", "012", "016")]

# Language and time
LANGUAGE_CODE = "en"
# Those with a catalogue: dates in one language amid sentences in another help nobody.
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "files" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# Static files
STATIC_URL = "static/"
STATIC_ROOT = FILESERVER_DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "files.static_files.UsedFilesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "files.static_files.ModuleManifestStorage"},
}
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# Log: one line an event, to standard error
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # Whoever scans for names would fill the disk with tracebacks.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
