"""Background jobs. A row in a table is the truth and a message only a hint, so a lost broker costs time, not work."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


def broker_url(redis_url: str) -> str:
    """Celery's spelling of `REDIS_URL`: it writes a Unix socket as `redis+socket:///path?virtual_host=0`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = parse_qs(parts.query)
    options = {"virtual_host": query.get("db", ["0"])[0]}
    if "password" in query:
        options["password"] = query["password"][0]
    return f"redis+socket://{parts.path}?{urlencode(options)}"


CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = "UTC"

# A worker that dies gives its task back; every task may therefore run twice and must not mind.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# A task is stopped well before the broker would think it lost and give it to a second worker.
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "global_keyprefix": "fc:celery:",
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # our log stream stays ours
CELERY_WORKER_REDIRECT_STDOUTS = False  # a traceback is one record, not a line for each token
CELERY_WORKER_SEND_TASK_EVENTS = False

CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1  # seconds; the request log is drained every second
# `expires`: a tick that nobody took in time is not worth taking, because the next one finds the same work. Without it a
# worker that comes back after an hour would first go through an hour of ticks.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "request log: write to the database": {
        "task": "connect.drain_request_log",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "environments: make what is pending": {
        "task": "connect.provision_environments",
        "schedule": 2.0,
        "options": {"expires": 10},
    },
    "payments: settle attempts without an answer": {
        "task": "payments.find_open_attempts",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "payments: follow payments by bank": {
        "task": "payments.find_bank_payments",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "payments: let holds run out": {
        "task": "payments.find_expired_holds",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "payments: ask about refunds under way": {
        "task": "payments.find_due_refunds",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "payments: make due money available": {
        "task": "payments.find_due_balances",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "payments: expire checkout sessions": {
        "task": "payments.find_overdue_checkouts",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "payments: mail receipts": {
        "task": "payments.find_due_receipts",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "banks: expire link sessions": {
        "task": "banks.find_overdue_links",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "banks: give back consents of ended links": {
        "task": "banks.find_links_to_give_back",
        "schedule": 15.0,
        "options": {"expires": 30},
    },
    "banks: remove connections nobody took": {
        "task": "banks.find_unexchanged_tokens",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "banks: watch their health": {
        "task": "banks.watch_health",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "banks: forget old figures": {
        "task": "banks.prune_health",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "banks: read connections": {
        "task": "banks.find_due_syncs",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "banks: give ended consents back": {
        "task": "banks.find_consents_to_give_back",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "banks: announce and end consents": {
        "task": "banks.find_ending_consents",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "test clocks: move on what stands still": {
        "task": "connect.find_stuck_test_clocks",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "test clocks: delete what is old": {
        "task": "connect.delete_old_test_clocks",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "webhooks: tell of disabled endpoints": {
        "task": "connect.send_webhook_notices",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "webhooks: add up how many there were": {
        "task": "connect.find_loose_webhook_counts",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
    "usage: tell of a quota that runs out": {
        "task": "connect.watch_quotas",
        "schedule": 300.0,
        "options": {"expires": 600},
    },
    "support: tell owners who may look": {
        "task": "connect.send_support_notices",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "events: forget what is old": {
        "task": "connect.prune_events",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "apps: forget codes and tokens that are over": {
        "task": "connect.prune_oauth_tokens",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "webhooks: forget old deliveries": {
        "task": "connect.prune_webhook_log",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "request log: forget what is old": {
        "task": "connect.prune_request_logs",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "idempotency: forget what is old": {
        "task": "connect.prune_idempotency_keys",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "ledger: release expired holds": {
        "task": "ledger.find_expired_holds",
        "schedule": 60.0,
        "options": {"expires": 120},
    },
}
