"""Every filter of the request log has an index, so that what it finds does not depend on how much is around it."""

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
            model_name="requestlog", index=models.Index(fields=["actor_id", "-id"], name="connect_request_log_actor")
        ),
        migrations.AddIndex(
            model_name="requestlog",
            index=models.Index(fields=["path"], name="connect_request_log_path", opclasses=["varchar_pattern_ops"]),
        ),
    ]
