"""Shoppers: threads that pay over HTTP while things die, and remember what they were told.

Every request carries an idempotency key and is sent again, as the SDKs do, until it is answered for good. Some shoppers
are impatient: at the first failure they leave and never ask again, as a browser that is closed. A plan follows from the
seed alone; how the threads interleave does not.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

KINDS_LEFT_OPEN = ("lost", "never heard", "capture lost", "release lost", "increment lost", "refund lost")
"""Whose processor does not answer: the worker has to find out."""
FINAL = frozenset({200, 402})
AGAIN = frozenset({409, 429, 503})  # not 500: a server that is away is no fault of the program
PATIENCE_SECONDS = 60


@dataclass
class Step:
    """One request of a purchase. `answer` is what it was told for good; None when nobody knows."""

    key: str
    path: str
    form: dict[str, str]
    sent: int = 0
    answer: tuple[int, bytes] | None = None


@dataclass
class Purchase:
    """A few steps about one intent. `wanted` is the status of an intent whose steps were all acknowledged.

    `raised` is what its authorization is raised by, `refunded` what is given back of it, when all goes well.
    """

    name: str
    kind: str
    amount: int
    impatient: bool
    wanted: str
    steps: list[Step] = field(default_factory=list)
    intent: str | None = None
    refund: str | None = None

    def told(self, answer: tuple[int, bytes]) -> None:
        """Remember what an answer is about: the intent, the refund of it, or the intent inside an error."""
        body = json.loads(answer[1])
        found = body if answer[0] == 200 else body["error"]["payment_intent"]
        if found["object"] == "payment_intent":
            self.intent = found["id"]
        elif found["object"] == "refund":
            self.refund = found["id"]

    @property
    def raised(self) -> int:
        return MORE if any(what == INCREMENT for what, _ in KINDS[self.kind][0]) else 0

    @property
    def refunded(self) -> int:
        steps = [what for what, _ in KINDS[self.kind][0]]
        if STOP in steps:
            return 0
        parts = [int(form.get("amount", self.amount)) for what, form in KINDS[self.kind][0] if what == REFUND]
        return sum(parts)

    @property
    def complete(self) -> bool:
        """Every step was acknowledged."""
        return len(self.steps) == len(KINDS[self.kind][0]) and all(step.answer for step in self.steps)


CREATE, CONFIRM, CAPTURE, CANCEL = "create", "confirm", "capture", "cancel"
INCREMENT, REFUND, STOP, SET_UP = "increment_authorization", "refund", "stop the refund", "set up"
MORE = 500
"""What an authorization is raised by, in minor units."""


def pay(card: str = "visa") -> dict[str, str]:
    return {"confirm": "true", "payment_method": f"pm_card_{card}"}


def hold(card: str = "visa") -> dict[str, str]:
    return pay(card) | {"capture_method": "manual"}


# Steps (what, parameters), the status at the end, how often it is chosen.
KINDS: dict[str, tuple[tuple[tuple[str, dict[str, str]], ...], str, int]] = {
    "at once": (((CREATE, pay()),), "succeeded", 4),
    "in two": (((CREATE, {}), (CONFIRM, {"payment_method": "pm_card_mastercard"})), "succeeded", 3),
    "captured": (((CREATE, hold()), (CAPTURE, {})), "succeeded", 3),
    "raised": (((CREATE, hold()), (INCREMENT, {}), (CAPTURE, {})), "succeeded", 2),
    "released": (((CREATE, hold()), (CANCEL, {})), "canceled", 3),
    "held": (((CREATE, hold()),), "requires_capture", 1),
    "withdrawn": (((CREATE, {}), (CANCEL, {})), "canceled", 2),
    "refunded": (((CREATE, pay()), (REFUND, {})), "succeeded", 3),
    "refunded in parts": (((CREATE, pay()), (REFUND, {"amount": "40"}), (REFUND, {"amount": "60"})), "succeeded", 2),
    "refund stopped": (((CREATE, pay("refundRequiresAction")), (REFUND, {}), (STOP, {})), "succeeded", 2),
    "card kept": (((SET_UP, pay()),), "succeeded", 2),
    "declined": (((CREATE, pay("visa_chargeDeclined")),), "requires_payment_method", 2),
    "lost": (((CREATE, pay("timeoutApproved")),), "succeeded", 1),
    "never heard": (((CREATE, pay("timeoutNotReceived")),), "requires_payment_method", 1),
    "capture lost": (((CREATE, hold("captureTimeout")), (CAPTURE, {})), "succeeded", 1),
    "release lost": (((CREATE, hold("voidTimeout")), (CANCEL, {})), "canceled", 1),
    "increment lost": (((CREATE, hold("incrementTimeout")), (INCREMENT, {})), "requires_capture", 1),
    "refund lost": (((CREATE, pay("refundTimeout")), (REFUND, {})), "succeeded", 1),
}


class Refused(AssertionError):
    """An answer that no crash explains."""


class Till:
    """One connection of one shopper."""

    def __init__(self, address: str, secret: str) -> None:
        self._place = urlsplit(address).netloc
        self._connection = http.client.HTTPConnection(self._place, timeout=30)
        self._headers = {
            "Authorization": f"Basic {base64.b64encode(f'{secret}:'.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def send(self, step: Step) -> tuple[int, bytes, bool] | None:
        """Status, body and whether it was a replay; None when no whole answer came."""
        step.sent += 1
        try:
            self._connection.request(
                "POST", step.path, urlencode(step.form), self._headers | {"Idempotency-Key": step.key}
            )
            response = self._connection.getresponse()
            return response.status, response.read(), response.headers.get("Idempotent-Replayed") == "true"
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None

    def close(self) -> None:
        self._connection.close()


class Shop:
    """Runs shoppers until `close`, or until each has made `purchases_each`; keeps every purchase they began."""

    def __init__(
        self, address: str, secret: str, *, seed: str, kinds: Collection[str] = KINDS, shoppers: int = 4,
        purchases_each: int = 10_000,
    ) -> None:  # fmt: skip
        self.address, self.secret, self.seed = address, secret, seed
        self.purchases: list[Purchase] = []
        self._kinds, self._each = sorted(kinds), purchases_each
        self._errors: list[BaseException] = []
        self._closed, self._left = threading.Event(), threading.Event()
        self._threads = [threading.Thread(target=self._shop, args=(number,)) for number in range(shoppers)]

    def open(self) -> None:
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Let everybody finish the purchase they are at. Raises the first refusal that no crash explains."""
        self._closed.set()
        self.join()

    def leave(self) -> None:
        """Let everybody go as they are: what they met no longer matters."""
        self._closed.set()
        self._left.set()
        for thread in self._threads:
            thread.join()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    @property
    def failed(self) -> bool:
        return bool(self._errors)

    def _shop(self, number: int) -> None:
        rng = random.Random(f"{self.seed}/{number}")
        till = Till(self.address, self.secret)
        try:
            for count in range(self._each):
                if self._closed.is_set():
                    return
                purchase = plan(rng, f"{self.seed}-{number}-{count}", self._kinds)
                self.purchases.append(purchase)
                self._buy(till, purchase)
        except BaseException as error:
            self._errors.append(error)
        finally:
            till.close()

    def _buy(self, till: Till, purchase: Purchase) -> None:
        for step in _steps(purchase):
            purchase.steps.append(step)
            until = time.monotonic() + PATIENCE_SECONDS
            while step.answer is None:
                answer = till.send(step)
                if answer is not None and answer[0] in FINAL:
                    step.answer = answer[:2]
                    break
                if answer is not None and answer[0] not in AGAIN:
                    raise Refused(f"{purchase.name} {step.path}: {answer[0]} {answer[1].decode()}")
                if purchase.impatient or self._left.is_set():
                    return
                if time.monotonic() > until:
                    raise Refused(f"{purchase.name} {step.path} was not answered for a minute; last: {answer}")
                self._closed.wait(0.1)  # the SDKs, too, wait a moment before they try again
            purchase.told(step.answer)


def plan(rng: random.Random, name: str, kinds: Sequence[str]) -> Purchase:
    """The next purchase of a shopper."""
    kind = rng.choices(kinds, weights=[KINDS[kind][2] for kind in kinds])[0]
    return Purchase(name, kind, rng.randint(100, 90_000), rng.random() < 0.25, KINDS[kind][1])


def _steps(purchase: Purchase) -> Iterator[Step]:
    for number, (what, given) in enumerate(KINDS[purchase.kind][0]):
        form, key = dict(given), f"{purchase.name}-{number}"
        match what:
            case "create":
                path = "/v1/payment_intents"
                form |= {"amount": str(purchase.amount), "currency": "eur", "metadata[purchase]": purchase.name}
            case "set up":
                path, form = "/v1/setup_intents", form | {"metadata[purchase]": purchase.name}
            case "refund":
                path = "/v1/refunds"
                form |= {"payment_intent": str(purchase.intent), "metadata[purchase]": key}
            case "stop the refund":
                path = f"/v1/refunds/{purchase.refund}/cancel"
            case _:
                path = f"/v1/payment_intents/{purchase.intent}/{what}"
                if what == INCREMENT:
                    form["amount"] = str(purchase.amount + MORE)
        yield Step(key, path, form)
