"""The public status page: how banks are doing by operation, and their incidents. Nobody signs in, nothing is stored.

It is made of public rows only and kept for half a minute in each process, so that it stands when it is needed most:
when a bank is down and everybody looks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from banks.domain.health import Standing
from banks.domain.profiles import Operation
from banks.selectors import bank_standing
from banks.selectors.bank_standing import Board
from connect.kit import clock
from connect.pages import hosted, languages

KEPT_SECONDS: Final = 30
_TONES: Final = {Standing.HEALTHY: "good", Standing.DEGRADED: "warn", Standing.DOWN: "bad", Standing.UNKNOWN: ""}


class _Kept:
    """The board as this process made it last."""

    board: Board | None = None
    until: datetime | None = None


def forget() -> None:
    """Make the board anew for the next visitor."""
    _Kept.board = _Kept.until = None


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page, in the visitor's language."""
    language = languages.of(request, None)
    board = _board()
    with translation.override(language):
        response = hosted.show(
            request,
            "status/page.html",
            banks=[
                {
                    "name": bank.name,
                    "country": bank.country,
                    "is_sandbox": bank.is_sandbox,
                    "text": _standing(bank.standing),
                    "tone": _TONES[bank.standing],
                    "operations": [
                        {
                            "name": _operation(each.operation),
                            "text": _standing(each.standing),
                            "tone": _TONES[each.standing],
                        }
                        for each in bank.operations
                    ],
                }
                for bank in board.banks
            ],
            incidents=[
                {
                    "bank": incident.bank,
                    "text": _standing(incident.standing),
                    "tone": _TONES[incident.standing],
                    "began": _moment(incident.began_at),
                    "ended": _moment(incident.ended_at) if incident.ended_at else None,
                    "note": incident.note,
                }
                for incident in board.incidents
            ],
            troubled=board.troubled,
            others=board.others,
            made=_moment(board.made_at),
        )
    response.headers["Content-Language"] = language
    patch_cache_control(response, public=True, max_age=KEPT_SECONDS)
    patch_vary_headers(response, ["Accept-Language"])
    return response


def _board() -> Board:
    now = clock.wall()
    if _Kept.board is None or _Kept.until is None or now >= _Kept.until:
        _Kept.board, _Kept.until = bank_standing.board(), now + timedelta(seconds=KEPT_SECONDS)
    return _Kept.board


def _moment(value: datetime) -> str:
    """Day and time in UTC as a number, which every language reads: Django has no Macedonian or Albanian month names."""
    return f"{value:%d.%m.%Y %H:%M}"


def _standing(standing: Standing) -> str:
    if standing is Standing.HEALTHY:
        return pgettext("bank", "Works")
    if standing is Standing.DEGRADED:
        return pgettext("bank", "Slow, or fails at times")
    if standing is Standing.DOWN:
        return pgettext("bank", "Does not answer")
    return pgettext("bank", "Not asked lately")


def _operation(operation: Operation) -> str:
    if operation is Operation.CONSENTS:
        return pgettext("bank", "Linking")
    if operation is Operation.ACCOUNTS:
        return pgettext("bank", "Accounts and balances")
    if operation is Operation.TRANSACTIONS:
        return pgettext("bank", "Transactions")
    return pgettext("bank", "Payments")
