"""A developer in the dashboard, from signing up on, with forms and links only."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.product import Product
from tests.scenarios.sink import Sink
from tests.scenarios.visitor import Page, Visitor

PASSWORD = "a long and unusual sentence"


class Developer(Visitor):
    """Somebody new. `home` is their organization's test environment in the dashboard."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self.product, self.address = product, product.server.url
        self.email = f"developer-{secrets.token_hex(4)}@story.example"
        self.home = ""

    def at(self, place: str) -> Page:
        """Go to a page of the environment."""
        return self.open(f"{self.home}{place}")

    def sign_up(self) -> None:
        """With the link from the mail, which lands in the development mailbox."""
        self.open(f"{self.address}/accounts/signup/")
        self.submit("Create account", email=self.email, password1=PASSWORD, password2=PASSWORD)
        self.open(f"{self.address}/mailbox")
        for _, mail in [link for link in self.page.links if "/mailbox/" in link[1]]:
            if self.email in self.open(mail).text:
                break
        self.follow("/confirm-email/")
        if self.page.forms and any(
            button.words == "Confirm address" for form in self.page.forms for button in form.buttons
        ):
            self.submit("Confirm address")
        self.open(f"{self.address}/accounts/login/")
        if any(button.words == "Sign in" for form in self.page.forms for button in form.buttons):
            self.submit("Sign in", login=self.email, password=PASSWORD)
        assert "Create your organization" in self.open(f"{self.address}/").text

    def make_organization(self, name: str) -> None:
        """And wait until its test environment is there."""
        self.submit("Create organization", name=name)

        def is_ready() -> bool:
            return "/preparing" not in self.open(self.page.url).url

        self.product.stack.until(is_ready, "the test environment is there")
        assert self.page.url.endswith("/test/")
        self.home = self.page.url

    def make_key(self) -> str:
        """A key with every right; its secret is on this page and nowhere else."""
        self.at("developers/api-keys/new")
        self.submit("Create", name="The shop", access="full")
        (secret,) = set(re.findall(r"fc_test_\w+", self.page.text)) - {"fc_test_"}
        assert secret not in self.at("developers/api-keys").body
        return secret

    def listen(self, sink: Sink) -> str:
        """Have every event sent there; returns the signing secret."""
        self.at("developers/webhooks/new")
        self.submit("Create", url=sink.address)
        found = re.search(r"whsec_[\w+/=]+", self.page.text)
        assert found, str(self.page)
        return found[0]

    def sees(self, event: dict[str, Any], *, request_id: str, object_id: str) -> None:
        """Request, event, delivery and object, each a link from the other."""
        stack = self.product.stack
        stack.until(lambda: self.at(f"developers/logs/{request_id}").status == 200, "the request is in the log")
        assert object_id in self.page.text
        self.follow(event["id"])
        assert self.page.url.endswith(f"/developers/events/{event['id']}")
        assert request_id in self.page.text
        stack.until(lambda: "Confirmed" in self.open(self.page.url).text, "the delivery is shown")
        self.follow("Confirmed")
        assert "/developers/webhooks/deliveries/whd_" in self.page.url
        self.follow(event["id"])
        self.follow(object_id)
        assert object_id in self.page.text
        assert self.page.status == 200

    def replays(self, sink: Sink, event_type: str, object_id: str) -> None:
        """What was recorded in the last hour goes to this endpoint once more."""
        before = len(sink.of(event_type, object_id))
        self.at("developers/webhooks")
        self.follow(sink.address)
        self.follow("Replay")
        since = datetime.now(UTC) - timedelta(hours=1)
        self.submit("Count", since=f"{since:%Y-%m-%dT%H:%M}", scope="all")
        self.submit("Replay")
        self.product.stack.until(lambda: len(sink.of(event_type, object_id)) == before + 1, "it is replayed")
