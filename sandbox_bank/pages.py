"""The bank's own pages, where its customers log in and decide. They need no script and no cookie.

Who has logged in travels as a signed value in each form, for ten minutes and for this page only; the address alone
lets nobody in.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path

from sandbox_bank import authorisations, consents, entries, money, payments, texts
from sandbox_bank.models import Account, Authorisation, Consent, Customer, Payment

SALT = "sandbox_bank.pages"
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
"""No `form-action`: the answer to a form leads to the third party, and on to where that sends its customer."""


def page(request: HttpRequest, name: str, status: int = 200, **values: Any) -> HttpResponse:
    """A page of the bank."""
    code = values.setdefault("language", texts.language(request))
    values.setdefault("t", texts.of(code))
    answered = render(request, f"sandbox_bank/{name}.html", {"languages": texts.LANGUAGES, **values}, status=status)
    answered["Content-Security-Policy"] = POLICY
    answered["Cache-Control"] = "no-store"
    answered["Referrer-Policy"] = "no-referrer"
    return answered


def home(request: HttpRequest) -> HttpResponse:
    """The bank's front door."""
    return page(request, "home", users=Customer.objects.order_by("pk"))


def to_control(request: HttpRequest) -> HttpResponse:
    """The control stands at `/control/`."""
    return HttpResponseRedirect("/control/")


@functools.cache
def _style() -> bytes:
    return (Path(__file__).parent / "templates" / "sandbox_bank" / "style.css").read_bytes()


def style(request: HttpRequest) -> HttpResponse:
    """How the bank looks."""
    return HttpResponse(_style(), content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300"})


@transaction.atomic
def authorise(request: HttpRequest, token: str) -> HttpResponse:
    """The page a customer is sent to: log in, say that it is you, decide."""
    # Two clicks at once wait for each other, and the second finds it decided.
    attempt = Authorisation.objects.select_for_update(of=("self",)).filter(token=token).first()
    if attempt is None:
        t = texts.of(texts.language(request))
        return page(request, "notice", status=404, title=t["unknown_title"], why=t["unknown_why"])
    visit = Visit(request, attempt)
    if not authorisations.is_open(attempt):
        decided = attempt.sca_status in {"finalised", "failed"}
        return visit.notice("done" if decided else "late", status=200 if decided else 410)
    if request.method != "POST":
        return visit.login()
    steps = {"login": visit.logged_in, "code": visit.code_given, "agree": visit.agreed, "pay": visit.paid}
    step = request.POST.get("step", "")
    return visit.canceled() if step == "cancel" else steps.get(step, visit.login)()


class Visit:
    """One request of a customer to the page of one attempt."""

    def __init__(self, request: HttpRequest, attempt: Authorisation) -> None:
        self.request, self.attempt, self.subject = request, attempt, attempt.subject()
        self.language = texts.language(request)
        self.values: dict[str, str] = {"tpp": self.subject.tpp}
        if isinstance(self.subject, Payment):
            self.values["amount"] = money.grouped(self.subject.amount, self.subject.currency)
            self.values["payee"] = self.subject.order["creditorName"]
            self.values["currency"] = self.subject.currency
        else:
            self.values["until"] = f"{self.subject.valid_until:%d.%m.%Y}"

    # --- what is shown ---

    def show(self, name: str, status: int = 200, **values: Any) -> HttpResponse:
        """A page about this attempt."""
        t = texts.of(
            self.language, **self.values, **{key: str(value) for key, value in values.pop("named", {}).items()}
        )
        given = {
            name: t.get(value, value) if name in {"error", "why", "title"} else value for name, value in values.items()
        }
        return page(self.request, name, status, t=t, language=self.language, subject=self.subject, **given)

    def notice(self, what: str, status: int = 200) -> HttpResponse:
        """Something is over; the way back is all there is."""
        done = self.attempt.sca_status == "finalised"
        back = self.subject.redirect_uri if done else self.subject.refused_uri
        return self.show("notice", status, title=f"{what}_title", why=f"{what}_why", back=back)

    def login(self, error: str = "") -> HttpResponse:
        """The first page."""
        kind = "consent" if isinstance(self.subject, Consent) else "payment"
        login = self.request.POST.get("user", "")
        return self.show("login", why=f"login_why_{kind}", error=error, login=login)

    def code(self, customer: Customer, error: str = "") -> HttpResponse:
        """The page that asks for the one-time code."""
        left = authorisations.TRIES - self.attempt.wrong_codes
        return self.show("code", state=self.sign(customer, "code"), error=error, named={"left": left})

    def agreement(self, customer: Customer, error: str = "") -> HttpResponse:
        """The page that asks for the agreement, with the accounts it is about."""
        consent = self.subject
        assert isinstance(consent, Consent)
        return self.show(
            "agree",
            state=self.sign(customer, "agree"),
            error=error,
            accounts=[_shown(account) for account in consents.offered(consent, customer)],
            choice=consents.is_choice(consent),
            rights=consents.asked_rights(consent),
        )

    def order(self, customer: Customer, error: str = "") -> HttpResponse:
        """The page that shows an order: how much, to whom, from which account."""
        payment = self.subject
        assert isinstance(payment, Payment)
        accounts = [_shown(account) for account in payments.payable_from(payment, customer)]
        for account in accounts:
            account["enough"] = account["minor"] >= payment.amount
        return self.show(
            "pay",
            state=self.sign(customer, "pay"),
            error=error,
            accounts=accounts,
            amount=self.values["amount"],
            named={"left": authorisations.TRIES - self.attempt.wrong_codes},
        )

    # --- what is done ---

    def logged_in(self) -> HttpResponse:
        """After the login."""
        given = self.request.POST
        customer = authorisations.log_in(self.attempt, given.get("user", "").strip(), given.get("password", ""))
        if customer is None:
            known = Customer.objects.filter(login=given.get("user", "").strip()).first()
            locked = known is not None and authorisations.is_locked(known)
            return self.login("login_locked" if locked else "login_wrong")
        if customer.must_change_password:
            authorisations.fail(self.attempt, customer)
            return self.notice("password")
        return self.code(customer) if isinstance(self.subject, Consent) else self.order(customer)

    def code_given(self) -> HttpResponse:
        """After the code of a consent."""
        customer = self.signed("code")
        if customer is None:
            return self.login()
        if not authorisations.check_code(self.attempt, customer, self.request.POST.get("code", "")):
            return self.wrong_code() or self.code(customer, "code_wrong")
        return self.agreement(customer)

    def agreed(self) -> HttpResponse:
        """After the choice of accounts."""
        customer, consent = self.signed("agree"), self.subject
        if customer is None or not isinstance(consent, Consent):
            return self.login()
        offered = consents.offered(consent, customer)
        chosen = set(self.request.POST.getlist("account"))
        accounts = [one for one in offered if one.resource_id in chosen] if consents.is_choice(consent) else offered
        if not accounts:
            return self.agreement(customer, "choose_one" if offered else "no_accounts")
        authorisations.agree(self.attempt, customer, accounts)
        return HttpResponseRedirect(consent.redirect_uri)

    def paid(self) -> HttpResponse:
        """After the account and the code of an order."""
        customer, payment = self.signed("pay"), self.subject
        if customer is None or not isinstance(payment, Payment):
            return self.login()
        chosen = self.request.POST.get("account", "")
        account = next((one for one in payments.payable_from(payment, customer) if one.resource_id == chosen), None)
        if account is None:
            return self.order(customer, "choose_one")
        if not authorisations.check_code(self.attempt, customer, self.request.POST.get("code", "")):
            return self.wrong_code() or self.order(customer, "code_wrong")
        authorisations.agree(self.attempt, customer, [account])
        return HttpResponseRedirect(payment.redirect_uri)

    def wrong_code(self) -> HttpResponse | None:
        """The end, if that was one wrong code too many."""
        return self.notice("failed") if self.attempt.sca_status == "failed" else None

    def canceled(self) -> HttpResponse:
        """The customer said no, on whichever page."""
        authorisations.refuse(self.attempt)
        return HttpResponseRedirect(self.subject.refused_uri)

    # --- who it is ---

    def sign(self, customer: Customer, step: str) -> str:
        """That this customer has logged in, and may take this step."""
        return signing.dumps([self.attempt.token, customer.pk, step], salt=SALT)

    def signed(self, step: str) -> Customer | None:
        """Who has logged in, if this step is theirs to take."""
        life = authorisations.PAGE_LIFE
        try:
            token, customer, allowed = signing.loads(self.request.POST.get("state", ""), salt=SALT, max_age=life)
        except signing.BadSignature:
            return None
        found = Customer.objects.filter(pk=customer).first() if (token, allowed) == (self.attempt.token, step) else None
        return None if found is None or authorisations.is_locked(found) else found


def _shown(account: Account) -> dict[str, Any]:
    sums = entries.balances(account)
    groups = [account.iban[start : start + 4] for start in range(0, len(account.iban), 4)]
    return {
        "resource": account.resource_id,
        "name": account.name,
        "iban": " ".join(groups),
        "available": money.grouped(sums.available, account.currency),
        "minor": sums.available,
    }


urlpatterns = [
    path("style.css", style),
    path("authorise/<str:token>", authorise),
]
