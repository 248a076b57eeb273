"""Webhook deliveries are counted by quarters of an hour as they are made and change, so that no page counts them."""

from typing import Final

from django.db import migrations, models

import connect.kit.ids

ADDED: Final = "SELECT endpoint_id, created_at, state, 1 AS change FROM"
TAKEN: Final = "SELECT endpoint_id, created_at, state, -1 AS change FROM"


def count(changed: str, *, is_total: bool = False) -> str:
    """The statement that writes what these deliveries add to each count and take from it.

    A claim changes no state, so it adds up to nothing and writes no row.
    """
    return (
        "INSERT INTO connect_webhook_delivery_count (id, account_id, quarter, state, deliveries, is_total)"  # noqa: S608
        f" SELECT gen_random_uuid(), quarters.*, {is_total} FROM"
        " (SELECT w.account_id, date_bin('15 minutes', d.created_at, 'epoch'), d.state, sum(d.change)"
        f" FROM ({changed}) d JOIN connect_webhook_endpoint w ON w.id = d.endpoint_id"
        " GROUP BY 1, 2, 3 HAVING sum(d.change) <> 0) quarters"
    )


TRIGGER: Final = f"""
CREATE FUNCTION connect_webhook_delivery_counted() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        {count(f"{ADDED} new_rows")};
    ELSIF TG_OP = 'DELETE' THEN
        {count(f"{TAKEN} old_rows")};
    ELSE
        {count(f"{ADDED} new_rows UNION ALL {TAKEN} old_rows")};
    END IF;
    RETURN NULL;
END $$
"""
RUNS: Final = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows",
               "UPDATE": "NEW TABLE AS new_rows OLD TABLE AS old_rows"}  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("connect_tenant", "0005_filters")]
    operations = [
        migrations.CreateModel(
            name="WebhookDeliveryCount",
            fields=[
                (
                    "id",
                    models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False),
                ),
                ("account_id", models.UUIDField()),
                ("quarter", models.DateTimeField(help_text="its beginning")),
                ("state", models.CharField(max_length=9)),
                ("deliveries", models.BigIntegerField()),
                ("is_total", models.BooleanField(default=False)),
            ],
            options={"db_table": "connect_webhook_delivery_count", "abstract": False},
        ),
        migrations.AddIndex(
            model_name="webhookdeliverycount",
            index=models.Index(fields=["account_id", "quarter"], name="connect_webhook_count_time"),
        ),
        migrations.AddIndex(
            model_name="webhookdeliverycount",
            index=models.Index(
                fields=["id"], name="connect_webhook_count_loose", condition=models.Q(is_total=False)
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdeliverycount",
            constraint=models.UniqueConstraint(
                fields=["account_id", "quarter", "state"],
                name="connect_webhook_delivery_count_once",
                condition=models.Q(is_total=True),
            ),
        ),
        # Here, not when all migrations are done: from the triggers on, whoever sends writes counts.
        migrations.RunSQL(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON connect_webhook_delivery_count TO fc_app", migrations.RunSQL.noop
        ),
        migrations.RunSQL(TRIGGER, "DROP FUNCTION connect_webhook_delivery_counted() CASCADE"),
        # The triggers lock the table until this transaction ends, so what is counted after them was not counted by them.
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER connect_webhook_delivery_{event.lower()} AFTER {event} ON connect_webhook_delivery"
                f" REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION connect_webhook_delivery_counted()",
                migrations.RunSQL.noop,
            )
            for event, rows in RUNS.items()
        ),
        migrations.RunSQL(count(f"{ADDED} connect_webhook_delivery", is_total=True), migrations.RunSQL.noop),
    ]
