"""What a form does, done once: the same way as through the API, with a key that travels in the form.

A double click, a reload or a lost answer sends the same key again and gets the same answer; nothing happens twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from connect.api import execution, renderers
from connect.api.execution import Reply
from connect.domain.errors import IdempotencyKeyInUse, IdempotencyMismatch
from connect.kit.caller import Caller
from connect.kit.errors import DomainError, ResourceMissing
from connect.services import idempotency
from connect.services.idempotency import Claim
from dashboard.pages.access import OrganizationPage

KEY_FIELD: Final = "idempotency_key"
_NOT_PARAMETERS: Final = frozenset({KEY_FIELD, "csrfmiddlewaretoken"})

ALREADY_SENT: Final = _(
    "This form was sent before with other values, and that was carried out. Look before you send it again."
)
UNDER_WAY: Final = _(
    "This is being carried out right now. Wait a moment, then send the form once more to see the outcome."
)


def _fresh_key() -> str:
    return secrets.token_hex(16)


class ActionForm(forms.Form):
    """A form that acts once. `FIELDS_OF` maps the parameter a refusal names to the field that holds it."""

    FIELDS_OF: dict[str, str] = {}

    idempotency_key = forms.RegexField(r"^[0-9a-f]{32}$", widget=forms.HiddenInput, initial=_fresh_key)

    def refuse(self, error: DomainError) -> None:
        """Say the refusal beside the field it is about."""
        name = self.FIELDS_OF.get(error.param or "", error.param)
        self.add_error(name if name in self.fields else None, error.text)

    def fresh_key(self) -> SafeString:
        """A hidden field with a key of its own: for pages with many small forms, where no two may share one."""
        return type(self)(auto_id=False)[KEY_FIELD].as_hidden()

    def renew_key(self) -> None:
        """A new key for what is sent next: the old one has its answer."""
        data = cast(QueryDict, self.data).copy()
        data[KEY_FIELD] = _fresh_key()
        self.data = data


def tell_errors(request: HttpRequest, form: forms.Form) -> None:
    """What stands against a form of one button, as messages: it has no fields beside which to say it."""
    for texts in form.errors.values():
        for text in texts:
            messages.error(request, str(text))


def local(request: HttpRequest, page: OrganizationPage, form: ActionForm, work: Callable[[Caller], Any]) -> Any:
    """Do `work` in one transaction with its key. Returns its object as JSON data, or None with the form's errors set.

    Raises `ResourceMissing` for what is not there. Call it outside of any environment.
    """
    return _run(request, page, form, lambda caller, claim: execution.local(caller, claim, work, renderers.render_bytes))


def external(
    request: HttpRequest,
    page: OrganizationPage,
    form: ActionForm,
    *,
    begin: Callable[[Caller], Any],
    resume: Callable[[Caller, str], Any],
    call: Callable[[Any], Any],
    record: Callable[..., Any],
) -> Any:
    """The same for what the outside world has to be asked for: claim, call, record."""
    return _run(
        request,
        page,
        form,
        lambda caller, claim: execution.external(
            caller, claim, begin=begin, resume=resume, call=call, record=record, render=renderers.render_bytes
        ),
    )


def _run(
    request: HttpRequest,
    page: OrganizationPage,
    form: ActionForm,
    act: Callable[[Caller, Claim | None], Reply],
) -> Any:
    caller = replace(page.caller, idempotency_key=f"page-{form.cleaned_data[KEY_FIELD]}")
    sent = {name: values for name, values in request.POST.lists() if name not in _NOT_PARAMETERS}
    try:
        claim = idempotency.claim(caller, method="POST", path=request.path, parameters=sent)
        reply = act(caller, claim)
    except IdempotencyMismatch:
        form.renew_key()
        form.add_error(None, ALREADY_SENT)
        return None
    except IdempotencyKeyInUse:
        form.add_error(None, UNDER_WAY)
        return None
    except ResourceMissing as error:
        if error.status == 404:
            raise
        form.refuse(error)
        return None
    except DomainError as error:
        form.refuse(error)
        return None
    answer = msgspec.json.decode(reply.body)
    if reply.status >= 400:
        form.renew_key()
        form.add_error(None, answer["error"]["message"])
        return None
    return answer
