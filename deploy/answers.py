"""Ask a running product for one object of each kind, and keep the answers for the reference: `docs/answers.json`.

    python -m deploy.answers                                      the `make run` of this checkout
    python -m deploy.answers --demo ../other/.local/demo.json     another one's

The answers are real. What they are made of (fields, types) is checked against the description by
`tests/docs/test_openapi.py`, so this has to run again only when a shape changes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILE: Final = ROOT / "docs" / "answers.json"
PATIENCE_SECONDS: Final = 30
_SHOP: Final = "https://shop.example"
_HERE: Final = "https://connect.example"


class Api:
    """The API of a product that runs, as the owner of a test key meets it."""

    def __init__(self, address: str, key: str) -> None:
        self.address, self.key = address.rstrip("/"), key

    def __call__(self, path: str, /, **given: Any) -> dict[str, Any]:
        """POST what is given, or GET when nothing is; names are written with `__` for brackets: `metadata__order`."""
        body = None
        if given:
            pairs = [
                (_bracketed(name), str(value).lower() if value is True else value) for name, value in given.items()
            ]
            body = urllib.parse.urlencode(pairs).encode()
        request = urllib.request.Request(  # noqa: S310 - the address of one's own product
            f"{self.address}/v1/{path}", data=body, headers={"Authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            return dict(json.load(answer))

    def newest(self, path: str) -> dict[str, Any]:
        """The first object of a list."""
        return dict(self(path)["data"][0])


def _bracketed(name: str) -> str:
    first, *inner = name.split("__")
    return first + "".join(f"[{each}]" for each in inner)


def objects(api: Api) -> Iterator[dict[str, Any]]:
    """One of each kind, from a payment by card to what a linked bank tells."""
    stamp = int(time.time())
    yield (
        customer := api(
            "customers", name="Ана Петровска", email="ana@example.com", phone="+38970123456", metadata__crm="4711",
            address__line1="Партизанска 1", address__city="Скопје", address__postal_code="1000", address__country="MK",
        )
    )  # fmt: skip
    setup = api("setup_intents", customer=customer["id"], payment_method="pm_card_mk", confirm=True)
    yield setup
    method = api(f"payment_methods/{setup['payment_method']}")
    yield method
    intent = api(
        "payment_intents", amount=125000, currency="mkd", customer=customer["id"], payment_method=method["id"],
        confirm=True, description="Order 1001", metadata__order="1001",
    )  # fmt: skip
    yield intent
    charge = api(f"charges/{intent['latest_charge']}")
    yield charge
    yield api(f"balance_transactions/{charge['balance_transaction']}")
    yield api("refunds", payment_intent=intent["id"], amount=25000, reason="requested_by_customer")
    yield api("balance")
    price = api(
        "prices", currency="mkd", unit_amount=62500, product_data__name="Кафе, 1 kg", lookup_key=f"kafe-{stamp}"
    )
    yield {**price, "lookup_key": "kafe-1kg"}
    yield api(f"products/{price['product']}", description="Roasted in Skopje")
    session = api(
        "checkout/sessions", mode="payment", client_reference_id="cart-77", locale="mk",
        success_url=f"{_SHOP}/thanks?session={{CHECKOUT_SESSION_ID}}", cancel_url=f"{_SHOP}/cart",
        line_items__0__price=price["id"], line_items__0__quantity=2,
    )  # fmt: skip
    yield session
    yield api.newest(f"checkout/sessions/{session['id']}/line_items")
    yield api.newest("events?type=payment_intent.succeeded&limit=1")
    yield from webhooks(api)
    yield from banks(api)
    yield from books(api, stamp)
    yield {
        **api("test_helpers/test_clocks", frozen_time=stamp, name="A week later"),
        "deletes_after": stamp + 30 * 86400,
    }


def webhooks(api: Api) -> Iterator[dict[str, Any]]:
    """An endpoint with a delivery that nobody took."""
    endpoint = api("webhook_endpoints", url=f"{_SHOP}/hooks", enabled_events__="payment_intent.succeeded")
    yield {**endpoint, "secret": "whsec_…"}
    yield api(f"webhook_endpoints/{endpoint['id']}/test", type="payment_intent.succeeded")
    yield api(f"webhook_endpoints/{endpoint['id']}/replay", since=int(time.time()) - 60)
    api(f"webhook_endpoints/{endpoint['id']}", disabled=True)


def banks(api: Api) -> Iterator[dict[str, Any]]:
    """What the demo's customer has linked."""
    yield api.newest("banking/institutions?query=komercijalna&country=mk")
    yield api("banking/link_sessions", client_reference_id="user-7", history_days=90, return_url=f"{_SHOP}/linked")
    connection = api.newest("banking/connections?status=active&limit=1")
    yield connection
    yield api.newest(f"banking/accounts?connection={connection['id']}&currency=mkd")
    entry = api.newest(f"banking/transactions?connection={connection['id']}&direction=out&limit=1")
    yield entry
    sync = api(f"banking/transactions/sync?connection={connection['id']}&limit=1")
    yield {**sync, "added": [entry], "modified": [], "removed": []}


def books(api: Api, stamp: int) -> Iterator[dict[str, Any]]:
    """Two accounts, a posting, a hold."""
    till, safe = f"reference:{stamp}:till", f"reference:{stamp}:safe"
    api("ledger/accounts", path=safe, currency="eur")
    yield api("ledger/accounts", path=till, currency="eur", normal_side="debit", name="The till")
    yield api(
        "ledger/transactions", kind="shop.takings", reference="day-331",
        lines__0__account=till, lines__0__direction="debit", lines__0__amount=5000, lines__0__currency="eur",
        lines__1__account=safe, lines__1__direction="credit", lines__1__amount=5000, lines__1__currency="eur",
    )  # fmt: skip
    yield api("ledger/holds", source=safe, destination=till, amount=500, currency="eur", reference="order-9")
    yield api.newest(f"ledger/balances?path_prefix={safe}")
    yield api("ledger/drift")


def public(text: str, address: str) -> str:
    """What is kept: no address of this machine, and no secret that opens something in it."""
    return re.sub(r"(_secret_|/c/|/link/)[A-Za-z0-9.]{16,}", r"\1…", text.replace(address, _HERE))


def main() -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--demo", type=Path, default=ROOT / ".local" / "demo.json", help="what `make run` wrote")
    facts = json.loads(parser.parse_args().demo.read_text(encoding="utf-8"))
    api = Api(facts["api_base"], facts["secret_key"])
    found = {each["object"]: each for each in objects(api)}
    text = json.dumps(dict(sorted(found.items())), indent=1, ensure_ascii=False)
    FILE.write_text(public(text, api.address) + "\n", encoding="utf-8")
    print(f"wrote {len(found)} answers to {FILE}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
