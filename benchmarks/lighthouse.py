"""How Lighthouse judges the hosted payment page and the issuer's page, as a phone sees them.

    npm install --prefix <a folder outside of this one> lighthouse
    python -m benchmarks.lighthouse --lighthouse <that folder>/node_modules/.bin/lighthouse

Needs Node and Chromium, which nothing else here does; no part of `make bench`.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.report import Row, show
from benchmarks.stack import Stack, granian, stack
from demo.servers.postgres import free_port

GOALS = {"performance": 0.95, "accessibility": 1.0, "best-practices": 0.95}
CHROMIUM_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update --disable-sync"
)
LINE = {"price_data": {"currency": "eur", "unit_amount": 1250, "product_data": {"name": "Coffee"}}, "quantity": 2}


def measure(parts: Stack, *, lighthouse: str, chromium: str) -> list[Row]:
    """Start the web process, open both pages and judge them."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    variables = {**parts.variables, "FC_PUBLIC_URL": address}
    rows = []
    with granian("config.wsgi:application", port=port, variables=variables, path="/healthz"):
        session = _post(address, parts.key, "checkout/sessions", {"mode": "payment", "line_items": [LINE]})
        asking = {
            "amount": 2500,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_authenticationRequired",
        }
        intent = _post(address, parts.key, "payment_intents", asking)
        pages = {"payment page": session["url"], "issuer's page": intent["next_action"]["redirect_to_url"]["url"]}
        for name, url in pages.items():
            urllib.request.urlopen(url, timeout=30).close()  # the first visitor of a process waits for its templates
            for category, score in _judged(lighthouse, chromium, url).items():
                goal = GOALS[category]
                rows.append(Row(f"{name}: {category}", f"{score:.2f}", "", "", f">= {goal}", score >= goal))
    return rows


def _post(address: str, key: str, path: str, body: Any) -> Any:
    credentials = base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/v1/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _judged(lighthouse: str, chromium: str, url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            lighthouse, url, "--quiet", "--output=json", f"--output-path={report}",
            f"--only-categories={','.join(GOALS)}", f"--chrome-flags={CHROMIUM_FLAGS}",
        ]  # fmt: skip
        subprocess.run(command, check=True, timeout=300, env={**os.environ, "CHROME_PATH": chromium})
        found = json.loads(report.read_text(encoding="utf-8"))["categories"]
    return {category: found[category]["score"] for category in GOALS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lighthouse", default=shutil.which("lighthouse"), help="the program; else that of the PATH")
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("chromium-browser"))
    options = parser.parse_args()
    if not options.lighthouse or not options.chromium:
        parser.error("Lighthouse or Chromium is not there: name them with --lighthouse and --chromium")
    with stack() as parts:
        show(measure(parts, lighthouse=options.lighthouse, chromium=options.chromium))


if __name__ == "__main__":
    main()
