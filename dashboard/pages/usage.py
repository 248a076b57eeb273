"""Usage: what was asked of this environment, by whom, how it ended, how fast, and what the month has left."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from connect.domain import tiers
from connect.kit import clock
from connect.selectors import usage as selectors
from connect.selectors.usage import Total
from dashboard import charts, periods
from dashboard.charts import Chart, Series
from dashboard.pages import curl, spreadsheets
from dashboard.pages.access import OrganizationPage, organization_page, render
from dashboard.periods import Period

TABS: Final[dict[str, Promise]] = {
    "endpoint": _("Endpoints"),
    "key": _("Keys"),
    "app": _("Apps"),
    "status": _("Outcomes"),
}
STATUS_CLASSES: Final[dict[str, Promise]] = {
    "2xx": _("2xx: succeeded"),
    "3xx": _("3xx: redirected"),
    "4xx": _("4xx: refused"),
    "5xx": _("5xx: failed here"),
}
COLUMNS: Final = (
    "label", "id", "requests", "refused_4xx", "failed_5xx", "mean_ms", "p50_ms", "p95_ms", "p99_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: `label` in words, `id` of the key or app behind it, if any, `share` of all in percent."""

    label: str
    id: str
    total: Total
    share: int


@dataclass(frozen=True, slots=True)
class Quota:
    """The month of the tier. `limit` is None where there is none; `tone` is the colour of its bar."""

    tier: str
    used: int
    limit: int | None
    resets_at: datetime

    @property
    def percent(self) -> int:
        """How much of it is used, rounded down."""
        return self.used * 100 // self.limit if self.limit else 0

    @property
    def tone(self) -> str:
        """Warns from the first alert on."""
        first, last = tiers.ALERT_SHARES
        return "bad" if self.percent >= last else "warn" if self.percent >= first else ""


@require_safe
@organization_page(permission="usage:read")
def usage(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The figures of a period; `period` and `by` in the address choose what is shown."""
    period, by = periods.of(request.GET.get("period", "")), _tab(request)
    found = _totals(by, period)
    lines = _lines(by, found)
    context = {
        "period": period,
        "by": by,
        "tabs": [(key, title, key == by) for key, title in TABS.items()],
        "total": selectors.together("", found),
        "lines": lines,
        "chart": requests_chart(period, selectors.moments(period.since, period.until, period.unit, period.zone_name)),
        "quota": _quota(page),
        "alert_shares": tiers.ALERT_SHARES,
        "may_read_logs": page.allows("logs:read"),
        "curl": curl.example(request, "/v1/balance"),
    }
    return render(request, page, "dashboard/usage.html", context)


@require_safe
@organization_page(permission="usage:read")
def export(request: HttpRequest, page: OrganizationPage) -> HttpResponse:
    """The same table as CSV, with all percentiles; times are milliseconds."""
    period, by, text = periods.of(request.GET.get("period", "")), _tab(request), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_row(line) for line in _lines(by, _totals(by, period)))
    name = f"usage-{page.organization.slug}-{page.environment.kind}-{period.key}-by-{by}.csv"
    return HttpResponse(
        text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def requests_chart(period: Period, known: Mapping[datetime, selectors.Moment]) -> Chart:
    """Requests over time, what was refused and what failed on top; the home page shows the same."""
    found = [known.get(start, selectors.Moment(start, 0, 0, 0)) for start in period.starts]
    return charts.bar_chart(
        "requests",
        title=_("Requests"),
        places=_("Hour") if period.unit == "hour" else _("Day"),
        labels=[period.label(start) for start in period.starts],
        series=[
            Series(_("Succeeded"), "good", [each.requests - each.refused - each.errors for each in found]),
            Series(_("Refused (4xx)"), "warn", [each.refused for each in found]),
            Series(_("Failed here (5xx)"), "bad", [each.errors for each in found]),
        ],
    )


def _tab(request: HttpRequest) -> str:
    by = request.GET.get("by", "")
    return by if by in TABS else "endpoint"


def _totals(by: str, period: Period) -> list[Total]:
    """All requests of the period, cut the way the tab asks for."""
    if by == "endpoint":
        return selectors.by_route(period.since, period.until)
    if by == "status":
        return selectors.by_status(period.since, period.until)
    return selectors.by_actor(period.since, period.until)


def _lines(by: str, found: Sequence[Total]) -> list[Line]:
    everything = sum(total.requests for total in found)
    if by in {"key", "app"}:
        found = [total for total in found if selectors.is_key(total.label) == (by == "key")]
        names = selectors.names([total.label for total in found])
        labels = [(names.get(total.label, total.label), total.label) for total in found]
    elif by == "status":
        labels = [(str(STATUS_CLASSES.get(total.label, total.label)), "") for total in found]
    else:
        labels = [(total.label, "") for total in found]
    return [
        Line(label, identifier, total, total.requests * 100 // everything)
        for (label, identifier), total in zip(labels, found, strict=True)
    ]


def _quota(page: OrganizationPage) -> Quota:
    now = clock.wall()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Quota(
        tier=tiers.of(page.environment).name,
        used=selectors.month_total(now),
        limit=tiers.monthly_quota(page.environment),
        resets_at=(first + timedelta(days=32)).replace(day=1),
    )


def _row(line: Line) -> list[str]:
    total = line.total
    figures = (total.requests, total.refused, total.errors, total.mean_ms, total.p50_ms, total.p95_ms, total.p99_ms)
    return [spreadsheets.harmless(line.label), line.id, *("" if figure is None else str(figure) for figure in figures)]
