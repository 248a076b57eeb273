"""Room in the pages of webhook tables, so that the updates every delivery goes through stay in their page (HOT)."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("connect_tenant", "0003_test_clocks")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE connect_webhook_delivery SET (fillfactor = 60)",
            "ALTER TABLE connect_webhook_delivery RESET (fillfactor)",
        ),
        migrations.RunSQL(
            "ALTER TABLE connect_webhook_attempt SET (fillfactor = 50)",
            "ALTER TABLE connect_webhook_attempt RESET (fillfactor)",
        ),
    ]
