"""Banks of the catalogue: the list with a search in either script, and one with how it has been doing."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from banks.domain.profiles import SANDBOX
from banks.selectors import bank_standing, institution_health
from banks.selectors import institutions as selectors
from banks.selectors.bank_standing import Hour
from banks.shapes.institutions import InstitutionOut
from dashboard import charts
from dashboard.charts import Chart, Series
from dashboard.pages import curl
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.pages.bank_connections import as_json

COUNTRIES: Final = {
    "AL": _("Albania"),
    "BA": _("Bosnia and Herzegovina"),
    "BG": _("Bulgaria"),
    "ME": _("Montenegro"),
    "MK": _("North Macedonia"),
    "RO": _("Romania"),
    "RS": _("Serbia"),
    "XK": _("Kosovo"),
}
SANDBOX_CUSTOMERS: Final = (
    ("user_good", _("All goes well: accounts in denars, euros, dinars and lek, and one for savings")),
    ("user_many", _("All goes well, with twelve accounts to choose from")),
    ("user_empty", _("All goes well, but there is no account to choose")),
    ("user_wrong_sca", _("No one-time code is ever accepted")),
    ("user_password", _("A new password has to be set on the bank's own site first")),
    ("user_locked", _("The login is locked")),
)
"""Who can log in at the sandbox bank, and what becomes of it."""
LIMIT: Final = 500


@require_safe
@organization_page(permission="banks:view")
def institutions(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Every bank of the catalogue, those that can be linked first; `q`, `country` and `available` narrow it."""
    filters = _filters(request)
    rows = selectors.search(
        filters["q"],
        livemode=page.environment.livemode,
        countries=[filters["country"]] if filters["country"] else None,
        limit=LIMIT,
    )
    standings = institution_health.statuses([row.id for row in rows])
    found = [selectors.shape(page.caller, row, standings[row.id]) for row in rows]
    if filters["available"]:
        found = [each for each in found if each.available]
    context = {
        "institutions": found,
        "filters": filters,
        "countries": COUNTRIES.items(),
        "is_filtered": any(filters.values()),
        "has_sandbox": not page.environment.livemode,
        "curl": curl.example(request, "/v1/banking/institutions?country=mk"),
    }
    return render(request, page, "dashboard/institutions.html", context)


@require_safe
@organization_page(permission="banks:view")
def institution(request: HttpRequest, page: OrganizationPage, institution_id: str) -> HttpResponse:
    """One bank; `?tab=json` shows it as the API returns it."""
    row = selectors.find(institution_id, livemode=page.environment.livemode)
    if row is None:
        raise Http404
    found = selectors.shape(page.caller, row, institution_health.statuses([row.id])[row.id])
    head = {"institution": found, "country": COUNTRIES.get(found.country.upper(), found.country.upper())}
    if request.GET.get("tab") == "json":
        return render(request, page, "dashboard/institution.html", {**head, "tab": "json", "json": as_json(found)})
    hours = bank_standing.hours(row.id)
    profile = selectors.profile(row)
    context = {
        **head,
        "tab": "overview",
        "note": row.note,
        "is_enabled": row.is_enabled,
        "is_sandbox": row.slug == SANDBOX,
        "why_not": "" if found.available else _why_not(found),
        "abilities": profile.capabilities if profile else None,
        "operations": bank_standing.operations(row.id),
        "calls": sum(hour.successes + hour.bank_errors for hour in hours),
        "chart": chart_of(hours),
        "incidents": bank_standing.incidents(row.id),
        "incident_days": bank_standing.INCIDENT_DAYS,
    }
    return render(request, page, "dashboard/institution.html", context)


@require_safe
@organization_page(permission="banks:view")
def sandbox(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """Where the sandbox bank is told to misbehave, and who can log in there. It is in test mode only."""
    if page.environment.livemode:
        raise Http404
    row = selectors.find(SANDBOX, livemode=False)
    bank = selectors.load(page.caller, [row.id]).get(row.id) if row else None
    base = settings.FC_SANDBOX_BANK_URL.rstrip("/")
    context = {
        "bank": bank,
        "base_url": base,
        "customers": SANDBOX_CUSTOMERS,
        "control_url": f"{base}/control" if base else "",
        "can_manage": page.allows("banks:manage"),
    }
    return render(request, page, "dashboard/sandbox_bank.html", context)


def chart_of(hours: list[Hour]) -> Chart:
    """Calls by hour in the reader's zone: what the bank failed stands on what it answered."""
    return charts.bar_chart(
        "calls",
        title=gettext("Calls by hour"),
        places=gettext("Hour"),
        labels=[formats.date_format(timezone.localtime(hour.begins_at), "H:i") for hour in hours],
        series=[
            Series(gettext("Answered"), "good", [hour.successes for hour in hours]),
            Series(gettext("Failed by the bank"), "bad", [hour.bank_errors for hour in hours]),
        ],
    )


def _why_not(found: InstitutionOut) -> str:
    """Why this installation cannot link the bank, in words."""
    if found.slug == SANDBOX:
        return gettext("The sandbox bank is not running: FC_SANDBOX_BANK_URL is not set.")
    if found.connector == "berlin_group":
        return gettext(
            "Its interface follows the Berlin Group standard, but answers only licensed providers with a "
            "certificate. Staff of this installation enter the address of the interface once they have one."
        )
    if found.connector == "file":
        return gettext("It has no interface that is known. Its statements can be read as files once that is built in.")
    return gettext("No way to read this bank is installed here.")


def _filters(request: HttpRequest) -> dict[str, str]:
    country = request.GET.get("country", "").upper()
    return {
        "q": request.GET.get("q", "").strip()[:100],
        "country": country if country in COUNTRIES else "",
        "available": "1" if request.GET.get("available") == "1" else "",
    }
