"""An end customer with accounts at the sandbox bank, on our hosted pages and on the bank's own."""

from __future__ import annotations

from typing import Any

from demo.sandbox_bank import LOGIN, ONE_TIME_CODE, PASSWORD
from tests.product import App, Product
from tests.scenarios.visitor import Visitor

SHOP = "https://shop.example"


class Customer(Visitor):
    """Somebody who is sent to our pages by an app."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self.product = product

    def link(self, url: str, *, shared: list[str] | None = None) -> None:
        """Pick the bank, agree, log in there, agree there, choose accounts. `shared`: IBANs; without it, all."""
        self.open(url)
        self.submit("Search", q="sandbox")
        self.follow("Sandbox Bank")
        assert "What is read" in self.page.text
        self.submit("I agree")
        assert self.page.url.startswith(self.product.bank.url), str(self.page)
        self.log_in()
        self.submit("Continue", code=ONE_TIME_CODE)
        self.submit("Allow")
        self.wait(self.product.stack.rest)
        assert self.page.url.startswith(self.product.server.url), str(self.page)
        offered = self.values("Share", "account")
        known = {one["resource"]: one["iban"] for one in self.product.bank.accounts()}
        self.submit("Share", account=[one for one in offered if shared is None or known[one] in shared])

    def pay(self, url: str) -> None:
        """Choose the bank on our page where none is named, log in there, pay there, and come back."""
        self.open(url)
        self.submit("Sandbox Bank")
        if self.page.url.startswith(self.product.server.url):
            self.follow("Continue at")
        self.log_in()
        self.submit("Pay", code=ONE_TIME_CODE)
        self.wait(self.product.stack.rest)

    def log_in(self) -> None:
        self.submit("Log in", user=LOGIN, password=PASSWORD)


def link(product: Product, app: App, **wanted: Any) -> Any:
    """The connection that an app gets for a customer who linked all their accounts."""
    session = app.post("/v1/banking/link_sessions", {"return_url": f"{SHOP}/linked", "locale": "en", **wanted})
    ana = Customer(product)
    ana.link(session["url"])
    assert ana.left_to == f"{SHOP}/linked?link_session={session['id']}&status=complete", str(ana.page)
    done = app.get(f"/v1/banking/link_sessions/{session['id']}")
    assert (done["status"], done["url"]) == ("complete", None)
    return app.post("/v1/banking/connections", {"public_token": done["public_token"]})


def changes(app: App, connection: str, cursor: str = "") -> tuple[dict[str, list[Any]], str]:
    """All that changed behind a cursor, and the next one."""
    found: dict[str, list[Any]] = {"added": [], "modified": [], "removed": []}
    while True:
        after = f"&cursor={cursor}" if cursor else ""
        page = app.get(f"/v1/banking/transactions/sync?connection={connection}&limit=100{after}")
        for name, rows in found.items():
            rows += page[name]
        cursor = page["next_cursor"]
        if not page["has_more"]:
            return found, cursor


def read_until(product: Product, app: App, connection: str, moment: int) -> Any:
    """The connection, once the bank was read at or after `moment` (unix seconds) without an error."""

    def fresh() -> Any:
        now = app.get(f"/v1/banking/connections/{connection}")
        return now if (now["as_of"] or 0) >= moment and not now["stale"] and now["history_complete"] else None

    return product.stack.until(fresh, f"{connection} is read")
