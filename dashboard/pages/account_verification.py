"""Sending the confirmation of an address once more."""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from connect.services.sign_ins import UNVERIFIED_ADDRESS
from dashboard.pages.account_forms import ResendForm


@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """Sends it if the address waits for it, at most once in three minutes. The answer is the same for every address."""
    form = ResendForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Write the e-mail address that you signed up with."))
        return HttpResponseRedirect(reverse("account_email_verification_sent"))
    address = form.cleaned_data["email"].lower()
    request.session[UNVERIFIED_ADDRESS] = address
    waiting = EmailAddress.objects.filter(email=address, verified=False).select_related("user").first()
    if waiting is not None:
        send_verification_email_to_address(request, waiting, signup=True)
    messages.success(
        request,
        gettext("If this address waits to be confirmed, the link is sent once more, at most every three minutes."),
    )
    return HttpResponseRedirect(reverse("account_email_verification_sent"))
