"""Opening live mode: what it means, what each payment method still needs, the form, and the moment until it is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from connect.kit.errors import DomainError
from connect.selectors import environments as environment_selectors
from connect.selectors import organizations as organization_selectors
from connect.services import activation as services
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.settings_forms import DETAILS, ActivationForm
from dashboard.pages.team import form_page
from dashboard.pages.team_forms import ConfirmForm


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the product in live mode: whether it works at once, and what it needs if not."""

    title: Promise
    state: Promise
    tone: str
    text: Promise


def parts() -> list[Part]:
    """What live mode means for each part, told as it is on this installation."""
    has_account = bool(settings.FC_COLLECTION_ACCOUNT)
    return [
        Part(
            gettext_lazy("Ledger, customers, webhooks, API keys"),
            gettext_lazy("Works at once"),
            "good",
            gettext_lazy("Nobody else is involved: books, events and keys of your own, apart from the test data."),
        ),
        Part(
            gettext_lazy("Bank transfer and QR"),
            gettext_lazy("Not in this version"),
            "",
            gettext_lazy(
                "Needs no licence and no processor: the payer sends the money from their own bank, and it is matched"
                " with your statements by its reference. The API of this version does not offer it yet."
            ),
        ),
        Part(
            gettext_lazy("Cards"),
            gettext_lazy("Needs a processor"),
            "warn",
            gettext_lazy(
                "You need a contract with an acquirer or processor, and whoever runs this installation connects it. The"
                " sandbox processor and test cards are refused in live mode, and so are card numbers sent to the API."
            ),
        ),
        Part(
            gettext_lazy("Pay by bank"),
            gettext_lazy("Needs a licence"),
            "warn",
            gettext_lazy(
                "Starting payments at a bank needs a payment initiation licence, a certificate the bank accepts, and a"
                " contract or registration with it. An account to collect to is set on this installation."
            )
            if has_account
            else gettext_lazy(
                "Starting payments at a bank needs a payment initiation licence, a certificate the bank accepts, and a"
                " contract or registration with it. This installation also has no account to collect to yet."
            ),
        ),
        Part(
            gettext_lazy("Linking bank accounts"),
            gettext_lazy("Needs a licence"),
            "warn",
            gettext_lazy(
                "Reading accounts needs an account information licence and a certificate. Without them no production"
                " bank answers. The catalogue of banks can be read; the sandbox bank has no account in live mode."
            ),
        ),
    ]


@require_safe
@organization_page(permission="settings:read", opens_environment=False)
def activation(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """What live mode means here, and how far it is. While its schema is made the page asks again by htmx."""
    status = environment_selectors.status(page.organization.id, "live")
    if request.headers.get("HX-Request") == "true":
        if status == "pending":
            return HttpResponse(status=204)
        return HttpResponse(headers={"HX-Redirect": request.path})
    context = {
        "status": status,
        "parts": parts(),
        "can_activate": page.allows("live:activate"),
        "details": organization_selectors.details(page.organization.id),
    }
    return render(request, page, "dashboard/activation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page(permission="live:activate", opens_environment=False)
def details(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Who the organization is; the POST opens live mode."""
    if request.method != "POST" and environment_selectors.status(page.organization.id, "live"):
        return form_page(
            request,
            page,
            ConfirmForm(),
            section="activation",
            title=_("Live mode is open already"),
            text=_("What the organization says about itself is changed in the settings."),
        )
    known = asdict(organization_selectors.details(page.organization.id))
    initial: dict[str, Any] = {name: known[name] for name in DETAILS}
    initial["legal_name"] = initial["legal_name"] or page.organization.name
    form = ActivationForm(request.POST or None, complete=True, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.activate(page.caller, details=form.details())
        except DomainError as error:
            form.add_error(error.param if error.param in form.fields else None, error.text)
        else:
            messages.success(request, _("Live mode is being opened. Its owners are told by mail."))
            return HttpResponseRedirect(page.url("activation"))
    return form_page(
        request,
        page,
        form,
        section="activation",
        title=_("Open live mode of %(organization)s") % {"organization": page.organization.name},
        text=_(
            "Say who you are. It is kept with the organization and can be changed later; its owners are told by mail."
        ),
        action=_("Open live mode"),
    )
