"""Filters of the big lists have indexes, so that what they find does not depend on how much is around it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connect_tenant", "0004_webhook_fillfactor")]
    operations = [
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(
                fields=["-id"], name="connect_request_log_errors", condition=models.Q(status__gte=500)
            ),
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(
                fields=["-id"], name="connect_request_log_seldom", condition=~models.Q(method__in=["GET", "POST"])
            ),
        ),
        migrations.AddIndex(
            model_name="requestlog", index=models.Index(fields=["actor_id", "id"], name="connect_request_log_actor")
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["path"], name="connect_request_log_path", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["type"], name="connect_event_type")
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                fields=["endpoint_id", "-id"],
                name="connect_webhook_delivery_ended",
                condition=models.Q(state__in=["failed", "canceled"]),
            ),
        ),
    ]
