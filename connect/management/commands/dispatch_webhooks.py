"""`manage.py dispatch_webhooks`: the process that sends webhooks, until it is asked to stop. Any number may run."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from connect.services.dispatcher import Dispatcher, Options

# The machine's resolver would wait 5 seconds twice for every silent name server, and hold a thread all the while.
RESOLVER_OPTIONS = "timeout:2 attempts:2"


class Command(BaseCommand):
    """SIGTERM and SIGINT let what is under way end, at most the 15 seconds of one attempt, and give the rest back."""

    help = "Send webhooks until stopped."

    def handle(self, **options: Any) -> None:
        os.environ.setdefault("RES_OPTIONS", RESOLVER_OPTIONS)
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        uvloop.run(_work())


async def _work() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Dispatcher(
        Options(
            private_hosts=settings.FC_PRIVATE_HOSTS_ALLOWED,
            per_second=settings.FC_WEBHOOKS_PER_SECOND,
        )
    ).run(stop)
