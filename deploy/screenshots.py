"""A newcomer's first ten minutes in Chromium, and the pictures of it that the guides and the README show.

    python -m deploy.screenshots                                   a running `make run`, or one of its own
    python -m deploy.screenshots --address http://127.0.0.1:8000

Sign up, confirm the address in the mailbox, make an organization and a key, send the first request with curl, look at
the payment, see its event in the webhook inbox, link a bank. `tests/scenarios/test_first_ten_minutes.py` walks the same
way.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from demo.run import answers
from demo.sandbox_bank import LOGIN, ONE_TIME_CODE, PASSWORD
from demo.servers.postgres import free_port

ROOT: Final = Path(__file__).resolve().parents[1]
PICTURES: Final = ROOT / "docs" / "guides" / "images"
WIDTH, HEIGHT, QUALITY = 1280, 800, 82
BYTES_MAX: Final = 150_000
PATIENCE_SECONDS: Final = 120
OWN_PASSWORD: Final = "a long and unusual sentence"  # noqa: S105 - of an account that is forgotten with its data
CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync"]  # fmt: skip


class Newcomer:
    """Somebody new, with one tab. `show(name)` is called where the guides have a picture."""

    def __init__(self, tab: Any, address: str, show: Callable[[str], None]) -> None:
        self.tab, self.address, self.show = tab, address.rstrip("/"), show
        self.mark = secrets.token_hex(3)
        self.email = f"ana-{self.mark}@shop.example"
        self.home = self.secret = ""

    def walk(self) -> dict[str, Any]:
        """The whole way. Returns what was made: `payment`, `event_seen`, `link_session`."""
        self.sign_up()
        self.confirm_the_address()
        self.make_an_organization()
        self.make_a_key()
        payment = self.pay()
        self.look_at(payment["id"])
        again = self.be_told()
        return {"payment": payment, "told_of": again, "link_session": self.link_a_bank()}

    def sign_up(self) -> None:
        self.tab.goto(f"{self.address}/accounts/signup/")
        self._fill(email=self.email, password1=OWN_PASSWORD, password2=OWN_PASSWORD)
        self.show("sign-up")
        self._submit()

    def confirm_the_address(self) -> None:
        """With the link of the newest mail to this address."""
        self.tab.goto(f"{self.address}/mailbox")
        self._follow("a[href*='/mailbox/']")
        self.tab.get_by_text(self.email).first.wait_for()
        self._follow("a[href*='/confirm-email/']")
        if self.tab.locator("main form button[type=submit]").count():
            self._submit()
        self.tab.goto(f"{self.address}/")
        if "/login" in self.tab.url:
            self._fill(login=self.email, password=OWN_PASSWORD)
            self._submit()

    def make_an_organization(self) -> None:
        """And wait until its test environment is there."""
        if "/organizations/new" not in self.tab.url:
            self.tab.goto(f"{self.address}/organizations/new")
        self._fill(name="Kafe Petrovska", slug=f"kafe-petrovska-{self.mark}")
        self._submit()
        self.until(lambda: re.search(r"/o/[\w-]+/test/$", self._again().url), "the test environment is there")
        self.home = self.tab.url
        self.show("home")

    def make_a_key(self) -> None:
        """Its secret is on this page and on no other."""
        self.tab.goto(f"{self.home}developers/api-keys/new")

        def made() -> bool:
            self._prove_who_i_am()
            self._fill(name="The shop")
            self._submit()
            self._prove_who_i_am()
            found = re.search(r"fc_test_\w{20,}", self.tab.inner_text("main"))
            self.secret = found[0] if found else ""
            return bool(self.secret)

        assert made() or made(), self.tab.inner_text("main")  # twice where the password was asked for in between
        self.show("key")

    def pay(self) -> dict[str, Any]:
        """The first request, as it stands in the quickstart."""
        return self.curl(
            "/v1/payment_intents", "amount=2500", "currency=eur", "payment_method=pm_card_visa", "confirm=true"
        )

    def look_at(self, payment: str) -> None:
        self.tab.goto(f"{self.home}payments/{payment}")
        self.tab.get_by_text(payment).first.wait_for()
        self.show("payment")

    def be_told(self) -> dict[str, Any]:
        """Send events to the inbox, pay once more, and see it arrive."""
        inbox = f"{self.home}developers/webhooks/inbox"
        self.tab.goto(inbox)
        self._follow("a[href*='inbox=1']")

        def made() -> bool:
            self._prove_who_i_am()
            self._submit()
            self._prove_who_i_am()
            return "whsec_" in self.tab.inner_text("main")

        assert made() or made(), self.tab.inner_text("main")  # twice where the password was asked for in between
        payment = self.pay()

        def arrived() -> bool:
            self.tab.goto(inbox)
            return bool(self.tab.locator("summary", has_text="payment_intent.succeeded").count())

        self.until(arrived, "the event is in the inbox")
        self.tab.locator("summary", has_text="payment_intent.succeeded").first.click()
        self.show("inbox")
        return payment

    def link_a_bank(self) -> dict[str, Any]:
        """As a customer of the newcomer's: on our page, at the bank, and back."""
        session = self.curl("/v1/banking/link_sessions", "client_reference_id=ana", "history_days=90", "locale=en")
        self.tab.goto(session["url"])
        self.show("link")
        self.tab.locator("input[name=q]").fill("sandbox")
        self.tab.get_by_role("button", name="Search").click()
        self.tab.get_by_role("link", name="Sandbox Bank").click()
        self.tab.get_by_role("button", name="I agree").click()
        self.tab.get_by_label("User name").fill(LOGIN)
        self.tab.get_by_label("Password").fill(PASSWORD)
        self.tab.get_by_role("button", name="Log in").click()
        self.tab.get_by_label("One-time code").fill(ONE_TIME_CODE)
        self.tab.get_by_role("button", name="Continue").click()
        self.tab.get_by_role("button", name="Allow").click()
        self.tab.get_by_role("button", name="Share these accounts").click()
        path = f"/v1/banking/link_sessions/{session['id']}"
        self.until(lambda: self.curl(path)["status"] == "complete", "the bank is linked")
        return self.curl(path)

    def curl(self, path: str, *fields: str) -> dict[str, Any]:
        """A real request from a terminal; with fields it is a POST."""
        command = ["curl", "--silent", "--noproxy", "*", f"{self.address}{path}", "-u", f"{self.secret}:"]
        for field in fields:
            command += ["-d", field]
        told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)  # noqa: S603 - our own words
        assert "error" not in told, told
        return dict(told)

    def until(self, truth: Callable[[], Any], what: str) -> None:
        """Look until it is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not truth():
            assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s, but never: {what}; at {self.tab.url}"
            self.tab.wait_for_timeout(250)

    def _again(self) -> Any:
        if "/preparing" in self.tab.url:
            self.tab.reload()
        return self.tab

    def _fill(self, **typed: str) -> None:
        """Fields by name, as far as the form has them."""
        for name, value in typed.items():
            field = self.tab.locator(f"main input[name={name}]")
            if field.count():
                field.first.fill(value)

    def _submit(self) -> None:
        self._follow("main form button[type=submit]")

    def _follow(self, selector: str) -> None:
        """Click what leads to another page, and be there."""
        with self.tab.expect_navigation():
            self.tab.locator(selector).first.click()

    def _prove_who_i_am(self) -> None:
        """Where a page wants the password once more."""
        if self.tab.locator("main input[name=password]").count():
            self._fill(password=OWN_PASSWORD)
            self._submit()


def picture(tab: Any) -> bytes:
    """What the tab shows, as WebP."""
    tab.evaluate("document.activeElement.blur()")
    session = tab.context.new_cdp_session(tab)
    taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    session.detach()
    return base64.b64decode(taken["data"])


def new_tab(browser: Any) -> Any:
    """A light tab of the width that pictures have, in English."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", locale="en-GB", timezone_id="Europe/Skopje"
    )
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_SECONDS * 1000)
    return tab


@contextmanager
def product(address: str | None) -> Iterator[str]:
    """The address of a running product: the one named, that of `make run` in this checkout, or one started for it."""
    told = ROOT / ".local" / "demo.json"
    if address is None and told.exists():
        address = str(json.loads(told.read_text())["api_base"])
    if address is not None and answers(f"{address}/readyz"):
        yield address
        return
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen([sys.executable, "-m", "demo.run"], cwd=ROOT, env={**os.environ, "PORT": str(port)})
    try:
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while not answers(f"{address}/readyz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The product did not start; it says above why.")
            time.sleep(0.5)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def main() -> None:
    """Walk, and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="a running product; without it, that of `make run`, or one is started")
    parser.add_argument("--folder", type=Path, default=PICTURES)
    given = parser.parse_args()
    from playwright.sync_api import sync_playwright  # a tool of development; nothing else here needs it

    given.folder.mkdir(parents=True, exist_ok=True)
    with product(given.address) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = new_tab(browser)

        def show(name: str) -> None:
            taken = picture(tab)
            if len(taken) > BYTES_MAX:
                raise SystemExit(f"{name} has {len(taken)} bytes; pictures have at most {BYTES_MAX}")
            (given.folder / f"{name}.webp").write_bytes(taken)
            sys.stdout.write(f"{name}.webp: {len(taken):,} bytes\n")

        Newcomer(tab, address, show).walk()
        browser.close()


if __name__ == "__main__":
    main()
