"""Prove that every balance is the sum of its entries."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connect.kit import ids
from connect.kit.caller import EnvironmentRef
from connect.kit.tenancy import use_environment
from connect.selectors import environments
from ledger.domain.records import Drift
from ledger.selectors import drift

_PREFIXES = {"transaction": "ltxn", "orphan": "ltxn", "hold": "lhold"}


class Command(BaseCommand):
    """`ledger_verify` reads all environments, `ledger_verify --env acme/test` one. Exits 1 when anything disagrees."""

    help = "Compare balances with entries and holds, and every sum with zero."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--env", metavar="SLUG/KIND", help="one environment, such as acme/test")

    def handle(self, *args: Any, env: str | None = None, **options: Any) -> None:
        started, rows, mismatches, count = time.monotonic(), 0, 0, 0
        for name, environment in self._chosen(env):
            begun = time.monotonic()
            with use_environment(environment):
                report = drift.report()
            seconds = time.monotonic() - begun
            count, rows, mismatches = count + 1, rows + report.rows, mismatches + len(report.faults)
            self.stdout.write(f"{name}: {report.rows} rows, {len(report.faults)} mismatches, {seconds:.2f} s")
            for fault in report.faults:
                self.stdout.write(f"  {described(fault)}")
        total = time.monotonic() - started
        self.stdout.write(f"{count} environments, {rows} rows, {mismatches} mismatches, {total:.2f} s")
        if mismatches:
            raise SystemExit(1)

    def _chosen(self, env: str | None) -> Iterable[tuple[str, EnvironmentRef]]:
        if env is None:
            return [(environment.schema_name, environment) for environment in environments.ready()]
        slug, _, kind = env.partition("/")
        environment = environments.get(slug, kind)
        if environment is None:
            raise CommandError(f"There is no environment {env!r}. Name one as <organization>/<test|live>.")
        return [(env, environment)]


def described(fault: Drift) -> str:
    """`posted lacct_…: expected 5, found 6`."""
    subject = (
        "all accounts" if fault.subject is None else ids.encode(_PREFIXES.get(fault.fault, "lacct"), fault.subject)
    )
    return f"{fault.fault} {subject}: expected {fault.expected}, found {fault.actual}"
