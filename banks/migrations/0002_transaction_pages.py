"""People read bank transactions by day, and look for one by its amount."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("banks", "0001_initial")]
    operations = [
        migrations.AddIndex(
            model_name="banktransaction",
            index=models.Index(fields=["account_id", "-sort_date", "-id"], name="banks_transaction_by_day"),
        ),
        migrations.AddIndex(
            model_name="banktransaction",
            index=models.Index(fields=["account_id", "amount_minor"], name="banks_transaction_amount"),
        ),
    ]
