"""The ledger's tables, triggers and functions, from `ledger/sql/0001_*.sql`; Django only learns the tables' shape."""

import connect.kit.ids
from django.db import migrations, models

from ledger.migrations._statements import statements

FILES = ("tables", "guards", "post", "holds", "accounts", "drift", "rights")

MODELS = [
    migrations.CreateModel(
        name='Account',
        fields=[
            ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
            ('path', models.CharField(max_length=255, unique=True)),
            ('name', models.CharField(default='', max_length=255)),
            ('currency', models.CharField(max_length=3)),
            ('normal_side', models.CharField(max_length=6)),
            ('floor_minor', models.BigIntegerField(null=True)),
            ('stripes', models.SmallIntegerField(default=1)),
            ('account_id', models.UUIDField()),
            ('metadata', models.JSONField(default=dict)),
            ('created_at', models.DateTimeField()),
            ('closed_at', models.DateTimeField(null=True)),
        ],
        options={
            'db_table': 'ledger_account',
        },
    ),
    migrations.CreateModel(
        name='Balance',
        fields=[
            ('pk', models.CompositePrimaryKey('account_id', 'stripe', blank=True, editable=False, primary_key=True, serialize=False)),
            ('account_id', models.UUIDField()),
            ('stripe', models.SmallIntegerField(default=0)),
            ('posted', models.BigIntegerField(default=0)),
            ('held_in', models.BigIntegerField(default=0)),
            ('held_out', models.BigIntegerField(default=0)),
        ],
        options={
            'db_table': 'ledger_balance',
        },
    ),
    migrations.CreateModel(
        name='Entry',
        fields=[
            ('pk', models.CompositePrimaryKey('transaction_id', 'line', blank=True, editable=False, primary_key=True, serialize=False)),
            ('transaction_id', models.UUIDField()),
            ('line', models.IntegerField()),
            ('account_id', models.UUIDField()),
            ('currency', models.CharField(max_length=3)),
            ('amount_minor', models.BigIntegerField()),
            ('effective_at', models.DateTimeField()),
            ('created_at', models.DateTimeField()),
        ],
        options={
            'db_table': 'ledger_entry',
        },
    ),
    migrations.CreateModel(
        name='Hold',
        fields=[
            ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
            ('source_account', models.UUIDField()),
            ('destination_account', models.UUIDField()),
            ('currency', models.CharField(max_length=3)),
            ('amount_minor', models.BigIntegerField()),
            ('posted_minor', models.BigIntegerField(default=0)),
            ('voided_minor', models.BigIntegerField(default=0)),
            ('state', models.CharField(default='pending', max_length=7)),
            ('void_reason', models.CharField(default='', max_length=64)),
            ('expires_at', models.DateTimeField(null=True)),
            ('description', models.TextField(default='')),
            ('reference', models.CharField(default='', max_length=255)),
            ('idempotency_key', models.CharField(max_length=255, unique=True)),
            ('metadata', models.JSONField(default=dict)),
            ('created_at', models.DateTimeField()),
        ],
        options={
            'db_table': 'ledger_hold',
        },
    ),
    migrations.CreateModel(
        name='Transaction',
        fields=[
            ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
            ('seq', models.BigIntegerField(unique=True)),
            ('kind', models.CharField(max_length=64)),
            ('idempotency_key', models.CharField(max_length=255, unique=True)),
            ('reverses', models.UUIDField(null=True, unique=True)),
            ('hold_id', models.UUIDField(null=True)),
            ('hold_minor', models.BigIntegerField(null=True)),
            ('effective_at', models.DateTimeField()),
            ('created_at', models.DateTimeField()),
            ('description', models.TextField(default='')),
            ('reference', models.CharField(default='', max_length=255)),
            ('metadata', models.JSONField(default=dict)),
        ],
        options={
            'db_table': 'ledger_transaction',
        },
    ),
]


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(statement, migrations.RunSQL.noop)
                for file in FILES
                for statement in statements(f"0001_{file}")
            ],
            state_operations=MODELS,
        ),
    ]
