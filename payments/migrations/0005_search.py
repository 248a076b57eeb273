import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0004_setup_intents'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='customer',
            index=django.contrib.postgres.indexes.GinIndex(fields=['metadata'], name='payments_customer_metadata', opclasses=['jsonb_path_ops']),
        ),
        migrations.AddIndex(
            model_name='paymentintent',
            index=django.contrib.postgres.indexes.GinIndex(fields=['metadata'], name='payments_intent_metadata', opclasses=['jsonb_path_ops']),
        ),
        migrations.AddIndex(
            model_name='customer',
            index=models.Index(models.F('account_id'), django.db.models.functions.text.Upper('email'), name='payments_customer_email_upper'),
        ),
        # One index for what is searched as a text, whole or in part. It is written out because Django knows an operator
        # class of an expression only with an app of its own, which asks the database about types on every connection.
        migrations.RunSQL(
            sql=[
                'CREATE INDEX payments_customer_words ON payments_customer USING gin'
                ' (upper(email::text) public.gin_trgm_ops, upper(name::text) public.gin_trgm_ops,'
                ' upper(phone::text) public.gin_trgm_ops)',
            ],
            reverse_sql=['DROP INDEX payments_customer_words'],
        ),
    ]
