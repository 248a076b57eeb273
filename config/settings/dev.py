"""Development: what `make run` uses. Mail lands in the mailbox page, endpoints on this machine may be called."""

from config.settings.base import *

DEBUG = env.bool("DEBUG", default=False)
WHITENOISE_AUTOREFRESH = True  # static files are served from where they are written; nothing is collected
EMAIL_BACKEND = "dashboard.mail.MailboxBackend"
FC_MAILBOX_DIR = LOCAL_DIR / "mail"
FC_PRIVATE_HOSTS_ALLOWED = env.list("FC_PRIVATE_HOSTS_ALLOWED", default=["localhost:*", "127.0.0.1:*", "[::1]:*"])
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # passkeys on http://localhost
FC_STAFF_MFA_REQUIRED = False  # the demo's staff begin without; a banner says what production asks for
