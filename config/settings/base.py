"""Settings that hold everywhere. `dev`, `test` and `prod` only add to or tighten these.

Every value that differs between machines comes from the environment; `.env.example` lists them all.
"""

from datetime import timedelta
from pathlib import Path

import environ

from config.settings import oauth
from config.settings.admin import UNFOLD  # noqa: F401
from config.settings.celery import *
from config.settings.logging import LOGGING  # noqa: F401
from config.settings.openapi import SPECTACULAR_SETTINGS  # noqa: F401
from connect.domain import proofs

BASE_DIR = Path(__file__).resolve().parents[2]
LOCAL_DIR = BASE_DIR / ".local"
env = environ.Env()
for candidate in (BASE_DIR / ".env", LOCAL_DIR / "secrets.env", LOCAL_DIR / "servers.env"):
    if candidate.exists():
        env.read_env(candidate)

# --- the product ------------------------------------------------------------------------------------------------------
SECRET_KEY = env("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
FC_PUBLIC_URL = env("FC_PUBLIC_URL", default=f"http://127.0.0.1:{env('PORT', default='8000')}")
FC_ENCRYPTION_KEYS = env("FC_ENCRYPTION_KEYS")
FC_OIDC_PRIVATE_KEY = env("FC_OIDC_PRIVATE_KEY", default="")  # base64 of PEM; without one nobody signs in elsewhere
FC_PRIVATE_HOSTS_ALLOWED = env.list("FC_PRIVATE_HOSTS_ALLOWED", default=[])
FC_TRUSTED_PROXIES = env.int(
    "FC_TRUSTED_PROXIES", default=0
)  # how many of our own stand before us and write X-Forwarded-For
FC_LEASE_SECONDS = env.int("FC_LEASE_SECONDS", default=60)
FC_WEBHOOKS_PER_SECOND = env.float("FC_WEBHOOKS_PER_SECOND", default=0.0)  # to one endpoint; 0: no bound
FC_METRICS_TOKEN = env("FC_METRICS_TOKEN", default="")
FC_COLLECTION_ACCOUNT = env("FC_COLLECTION_ACCOUNT", default="")  # `name;IBAN`: where live payments by bank go
FC_SANDBOX_BANK_CONTROL_TOKEN = env("FC_SANDBOX_BANK_CONTROL_TOKEN", default="")  # for a bank on another machine
FC_SANDBOX_BANK_URL = env("FC_SANDBOX_BANK_URL", default="")  # where the sandbox bank answers; empty: there is none

# --- apps: what stands in the public schema, and what stands in every environment's -----------------------------------
SHARED_APPS = [
    "connect",  # before django_tenants: our `migrate` and `shell` replace theirs
    "banks.catalog",
    "unfold",  # before django_tenants too, whose templates would replace parts of the admin
    "django_tenants",
    "dashboard",
    "demo",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "oauth2_provider",
    "django_celery_beat",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "csp",
]
TENANT_APPS = ["connect.tenant", "ledger", "banks", "payments"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
TENANT_MODEL = "connect.Environment"
TENANT_DB_ALIAS = "owner"
PUBLIC_SCHEMA_NAME = "public"

# --- database: rows only through `default` (role fc_app), structure only through `owner` (role fc_owner) --------------
_database = env.db_url("DATABASE_URL")
_owner = env.db_url("DATABASE_OWNER_URL", default=env("DATABASE_URL"))
DATABASES = {
    "default": {
        **_database,
        "ENGINE": "connect.kit.postgresql",
        "CONN_MAX_AGE": 600,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    },
    "owner": {**_owner, "ENGINE": "django_tenants.postgresql_backend", "CONN_MAX_AGE": 0},
}
for _alias in DATABASES.values():
    _alias["OPTIONS"] = {**_alias.get("OPTIONS", {}), "connect_timeout": 5}
DATABASE_ROUTERS = ["connect.kit.tenancy.EnvironmentRouter"]
TENANT_SYNC_ROUTER = "connect.kit.tenancy.EnvironmentRouter"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Valkey: broker, cache, limits. It may be flushed at any moment ---------------------------------------------------
REDIS_URL = env("REDIS_URL")
CELERY_BROKER_URL = broker_url(REDIS_URL)
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "fc"}
}

# --- web --------------------------------------------------------------------------------------------------------------
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
MIDDLEWARE = [
    "connect.api.middleware.RequestContextMiddleware",
    "connect.api.middleware.ApiMiddleware",  # /v1 goes straight to its view: no session, cookie or locale is ever read
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "connect.pages.middleware.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "connect.pages.session_activity.SessionActivityMiddleware",
    "dashboard.privacy.PrivatePagesMiddleware",
]
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
                "dashboard.context.appearance",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT: Path | None = None  # served from where they lie; production collects them
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# --- people -----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "connect.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip,5/30m/key"}  # nobody's mailbox is for others to fill
ACCOUNT_ADAPTER = "connect.handlers.LimitedAccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one takes its place once it is confirmed
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = proofs.FRESH_SECONDS
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # where it was changed one stays; every other session ends at once
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False  # a reset proves the mailbox only: the second factor is asked for as always
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if FC_PUBLIC_URL.startswith("https") else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ADAPTER = "connect.handlers.SealedMFAAdapter"
MFA_FORMS = {
    "authenticate": "dashboard.pages.account_forms.SignInCodeForm",
    "reauthenticate": "dashboard.pages.account_forms.ProofCodeForm",
    "add_webauthn": "dashboard.pages.account_forms.PasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off; no code is good twice
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TRUST_ENABLED = True
MFA_TRUST_COOKIE_AGE = timedelta(days=30)
# Nobody comes in before their address is confirmed, so an unconfirmed one is always a change under way: with this off,
# whoever has a second factor could not change their address.
MFA_ALLOW_UNVERIFIED_EMAIL = True
USERSESSIONS_TRACK_ACTIVITY = True
FC_STAFF_MFA_REQUIRED = True  # the staff's pages open with a second factor only
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_SERIALIZER = "connect.kit.sessions.SealedSerializer"
EMAIL_BACKEND = env("EMAIL_BACKEND", default="django.core.mail.backends.smtp.EmailBackend")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Facturino Connect <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_HOST = env("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)  # STARTTLS, usually on port 587
EMAIL_USE_SSL = env.bool("EMAIL_USE_SSL", default=False)  # TLS from the first byte, usually on port 465
EMAIL_TIMEOUT = 10  # seconds; a mail server that does not answer must not hold a sign-up for ever

# --- other companies' apps: OAuth2 and OpenID Connect, every RFC 9700 rule on -----------------------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "connect.ApiClient"
OAUTH2_PROVIDER_GRANT_MODEL = "connect.OAuthGrant"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "connect.OAuthAccessToken"  # noqa: S105 - a model's name
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "connect.OAuthRefreshToken"  # noqa: S105
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "connect.OAuthDeviceGrant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "connect.OAuthIdToken"  # noqa: S105
OAUTH2_PROVIDER = oauth.provider(issuer=FC_PUBLIC_URL.rstrip("/"), keys=oauth.signing_keys(FC_OIDC_PRIVATE_KEY))

# --- API --------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["connect.api.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["connect.api.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["connect.api.throttling.CredentialThrottle"],
    "DEFAULT_PARSER_CLASSES": ["connect.api.parsers.JsonParser", "connect.api.parsers.FormParser"],
    "DEFAULT_RENDERER_CLASSES": ["connect.api.renderers.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "connect.api.renderers.JsonOnly",
    "DEFAULT_SCHEMA_CLASS": "connect.api.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "connect.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

# --- words and time ---------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("mk", "Македонски"), ("sq", "Shqip"), ("sr", "Српски"), ("sr-latn", "Srpski")]
LANGUAGE_COOKIE_NAME = "fc_language"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
SILENCED_SYSTEM_CHECKS: list[str] = []
