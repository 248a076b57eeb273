"""The public page for whoever finds an API key where it does not belong: its whole secret, sent here, ends it.

The answer is the same whether or not there was such a key, and wrong ones count as guesses from that address.
"""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from connect.domain.tiers import TooManyFailedCredentials
from connect.kit.addresses import client_address
from connect.services import api_keys, limits


class ReportForm(forms.Form):
    """The secret; it is never sent back."""

    secret = forms.CharField(
        max_length=200,
        label=_("The whole key"),
        help_text=_("It begins with fc_live_ or fc_test_. Send the secret itself: that is the proof."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("secret")
@sensitive_variables("form", "secret")
def report(request: HttpRequest) -> HttpResponse:
    """The form; its POST ends the key, if it is one."""
    form, is_sent = ReportForm(request.POST or None), False
    if request.method == "POST" and form.is_valid():
        address, secret = client_address(request), form.cleaned_data["secret"].strip()
        try:
            limits.refuse_guessing(address)
        except TooManyFailedCredentials as refusal:
            form.add_error(None, refusal.text)
            return render(request, "dashboard/key_report.html", {"form": form}, status=refusal.status)
        if not api_keys.report_leaked(secret, reporter=address):
            limits.count_failed_credential(address)
        is_sent = True
    context = {"form": form, "is_sent": is_sent}
    return render(request, "dashboard/key_report.html", context, status=422 if form.errors else 200)
