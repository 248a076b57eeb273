from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0006_checkout_setup_intents'),
    ]

    operations = [
        migrations.AddField(
            model_name='paymentmethod',
            name='pay_by_bank',
            field=models.JSONField(null=True),
        ),
    ]
