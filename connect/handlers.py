"""Where libraries call us: one service call each, no rules of our own."""

from __future__ import annotations

import base64
import time
from typing import Any, Final

from allauth.account import signals as account_signals
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa_signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import make_password
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from connect.domain import proofs
from connect.domain.tiers import SignInUnavailable, TooManySignIns
from connect.kit import devices, secretbox
from connect.kit.addresses import client_address
from connect.selectors import users
from connect.services import limits, second_factors, sign_ins
from connect.services.sign_ins import Origin

_PLACE = "public.mfa_authenticator.data"
PRODUCT: Final = "Facturino Connect"
_METHODS: Final = {"totp": "totp", "recovery_codes": "recovery_code", "webauthn": "passkey"}
"""Kind of allauth's second factor → the word of our history."""

_CONFIRMATION_SENT: Final = "account/messages/email_confirmation_sent.txt"
_SAID_BY_THE_PAGE: Final = {
    "account/messages/logged_in.txt",
    "account/messages/logged_out.txt",
    "mfa/messages/recovery_codes_generated.txt",
    _CONFIRMATION_SENT,
}


def listen() -> None:
    """Receive the libraries' signals that no adapter stands for. Called once, when the process starts."""
    user_logged_in.connect(_proved_by_sign_in, dispatch_uid="connect.proved_by_sign_in")
    account_signals.authentication_step_completed.connect(_proved_again, dispatch_uid="connect.proved_again")
    mfa_signals.authentication_failed.connect(_second_factor_failed, dispatch_uid="connect.second_factor_failed")
    mfa_signals.authenticator_added.connect(_authenticator_added, dispatch_uid="connect.authenticator_added")


class SealedMFAAdapter(DefaultMFAAdapter):
    """allauth keeps second factors in clear; here they are sealed at rest."""

    def encrypt(self, text: str) -> str:
        """Seal a secret before it is stored."""
        return base64.b64encode(secretbox.seal(text.encode(), place=_PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a stored secret; raises `SealBroken` for one that was not sealed here."""
        return secretbox.unseal(base64.b64decode(encrypted_text), place=_PLACE).decode()

    def get_totp_issuer(self) -> str:
        """What the authenticator app shows above the code."""
        return PRODUCT

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site a passkey belongs to: the host, under the product's name."""
        return {**super().get_public_key_credential_rp_entity(), "name": PRODUCT}


class LimitedAccountAdapter(DefaultAccountAdapter):
    """Counts attempts to sign in by our atomic limiter; allauth's own is read-then-write and can be outrun.

    Without Valkey nobody can sign in: an attempt that cannot be counted is refused.
    """

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Take one attempt of the address and of the account; the refusal shows on the form."""
        account = _account(credentials)
        try:
            known = self._is_known_device(request, account)
            limits.attempt_sign_in(client_address(request), account, is_known_device=known)
            super().pre_authenticate(request, **credentials)
        except (TooManySignIns, SignInUnavailable, ValidationError) as refusal:
            sign_ins.record_refusal_for_address(account, origin=_origin(request), locked=True)
            if isinstance(refusal, ValidationError):
                raise
            raise ValidationError(refusal.text) from refusal

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failures of an account are counted by allauth too: those of devices that its person knows apart, as ours."""
        key: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{key}:known" if self._is_known_device(request, _account(credentials)) else key

    def _is_known_device(self, request: HttpRequest, account: str) -> bool:
        person = users.by_email(account) if devices.COOKIE in request.COOKIES else None
        return person is not None and devices.is_known(request, person.pk)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """A wrong password is worth a line in the history of whoever it was tried on."""
        sign_ins.record_refusal_for_address(_account(credentials), origin=_origin(request))

    def post_login(self, request: HttpRequest, user: Any, **given: Any) -> HttpResponse:
        """The last step of every sign-in: note it, and tell the person when it came from a new device."""
        response: HttpResponse = super().post_login(request, user, **given)
        is_new_device = sign_ins.record_success(
            user.pk,
            method=_method(request, user),
            origin=_origin(request),
            is_known_device=devices.is_known(request, user.pk),
        )
        if is_new_device:
            self.send_notification_mail("account/email/new_device", user)
        devices.remember(request, response, user.pk)
        return response

    def is_reauthentication_required(self, **_: Any) -> bool:
        """Asked by allauth before it changes factors or addresses: by the same clock as our own pages."""
        return not proofs.is_fresh(self.request.session, now=time.time(), sending=self.request.method == "POST")

    def unstash_verified_email(self, request: HttpRequest) -> str | None:  # noqa: ARG002
        """An invitation's link proves the mailbox of an account with that address (`is_email_verified` compares them).

        The library would make the account for the invited address whatever is typed: whoever owns that mailbox could
        lure somebody into an account that they reset the password of later.
        """
        return None

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Keep the address for sending it again."""
        if not request.user.is_authenticated:
            request.session[sign_ins.UNVERIFIED_ADDRESS] = emailconfirmation.email_address.email
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Whoever signs up with an address that has an account costs as much, and sees as much, as with a new one."""
        make_password(email)
        self.request.session[sign_ins.UNVERIFIED_ADDRESS] = email
        super().send_account_already_exists_mail(email)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The caller's address by our own rule about proxies; the unspecified one where there is none."""
        return client_address(request) or "::"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        """Back to where one came from, with the receipt."""
        return reverse("mfa_index")

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Receipts, but for those that say what the page says already, or which addresses wait to be confirmed."""
        template = args[0] if args else kwargs.get("message_template")
        if template in _SAID_BY_THE_PAGE and (request.user.is_anonymous or template != _CONFIRMATION_SENT):
            return
        super().add_message(request, level, *args, **kwargs)


def _account(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "")


def _origin(request: HttpRequest) -> Origin:
    return Origin(ip=client_address(request), user_agent=request.META.get("HTTP_USER_AGENT", ""))


def _method(request: HttpRequest, user: Any) -> str:
    """By what the sign-in was completed; a password alone, where a second factor stands, came from a remembered
    device.
    """
    records = get_authentication_records(request, user)
    last: dict[str, Any] = records[-1] if records else {}
    if last.get("method") == "mfa":
        return _METHODS[str(last["type"])]
    has_second_factor = Authenticator.objects.filter(user=user).exists()
    return "trusted_device" if has_second_factor else "password"


def _proved_by_sign_in(request: HttpRequest, **_: Any) -> None:
    proofs.note(request.session, now=time.time())


def _proved_again(request: HttpRequest, **given: Any) -> None:
    if given.get("reauthenticated"):
        proofs.note(request.session, now=time.time())


def _second_factor_failed(request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    sign_ins.record_refusal(user.pk, method=_METHODS[authenticator.type], origin=_origin(request))


def _authenticator_added(request: HttpRequest, authenticator: Authenticator, **_: Any) -> None:
    """The code that switched an app on is used, too."""
    if authenticator.type == Authenticator.Type.TOTP:
        second_factors.use_totp_code(authenticator.pk, request.POST.get("code", ""))
