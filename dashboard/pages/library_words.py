"""What django-allauth and Django say on our pages and have no Macedonian or no Albanian for: here translators find it.

Nothing reads this list. A text in our catalogs wins over the library's own, so it is enough that the text stands there.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SIGNING_IN: Final[tuple[Promise, ...]] = (
    _("A new set of recovery codes has been generated."),
    _("A user is already registered with this email address."),
    _("Authenticator app activated."),
    _("Authenticator app deactivated."),
    _("Authenticator code"),
    _("Confirmation email sent to %(email)s."),
    _("Current Password"),
    _("Email"),
    _("Enter a valid email address."),
    _("Forgot your password?"),
    _("Incorrect code."),
    _("Incorrect password."),
    _("Invalid or expired key."),
    _("New Password"),
    _("New Password (again)"),
    _("Password (again)"),
    _("Password successfully changed."),
    _("Please type your current password."),
    _("Security key added."),
    _("Security key removed."),
    _("Signed out of all other sessions."),
    _("Successfully signed in as %(name)s."),
    _("The email address and/or password you specified are not correct."),
    _("The new value must be different from the current one."),
    _("This account is currently inactive."),
    _("This email address is already associated with this account."),
    _("Too many failed login attempts. Try again later."),
    _("You cannot activate two-factor authentication until you have verified your email address."),
    _("You have confirmed %(email)s."),
    _("You have signed out."),
    _("You must type the same password each time."),
    _("Your password can’t be a commonly used password."),
    _("Your password can’t be entirely numeric."),
    _("Your password can’t be too similar to your other personal information."),
)
"""On the pages of signing in and of one's own account."""
