"""Test clocks of one environment."""

from __future__ import annotations

from django.contrib import admin

from connect.admin import columns
from connect.admin.rows import RowAdmin
from connect.admin.sites import environment_site
from connect.models import TestClock
from connect.shapes.test_clocks import PREFIX


@admin.register(TestClock, site=environment_site)
class TestClockAdmin(RowAdmin):
    """Time that stands still until somebody moves it."""

    prefix = PREFIX
    view_permission = "connect.view_environment"
    progress = columns.state("status", {"ready": "success", "advancing": "info", "internal_failure": "danger"})
    account = columns.account()
    list_display = ("public_id", "name", "progress", "frozen_time", "for_environment", "account", "created_at")
    list_filter = ("status", "for_environment")
    fields = (
        "public_id", "name", "progress", "frozen_time", "target_time", "for_environment", "account", "lease_until",
        "created_at", "deletes_after", "deleted_at",
    )  # fmt: skip
