# Events are fanned out to webhook endpoints; deliveries, attempts and the built-in inbox.

import connect.kit.ids
import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connect_tenant', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='InboxMessage',
            fields=[
                ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('received_at', models.DateTimeField()),
                ('headers', models.JSONField()),
                ('body', models.TextField(blank=True)),
                ('event_id', models.CharField(blank=True, max_length=64)),
                ('event_type', models.CharField(blank=True, max_length=80)),
                ('verdict', models.CharField(help_text='valid, invalid, or unsigned', max_length=10)),
                ('answered_status', models.SmallIntegerField(default=200)),
            ],
            options={
                'db_table': 'connect_inbox_message',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookAttempt',
            fields=[
                ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('delivery_id', models.UUIDField()),
                ('number', models.IntegerField()),
                ('requested_at', models.DateTimeField()),
                ('url', models.CharField(max_length=2048)),
                ('request_headers', models.JSONField()),
                ('body_sha256', models.BinaryField(max_length=32)),
                ('body_bytes', models.IntegerField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('duration_ms', models.IntegerField(null=True)),
                ('response_status', models.SmallIntegerField(null=True)),
                ('response_headers', models.JSONField(null=True)),
                ('response_body', models.TextField(blank=True)),
                ('error_kind', models.CharField(blank=True, max_length=20)),
                ('error', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'db_table': 'connect_webhook_attempt',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('event_id', models.UUIDField()),
                ('endpoint_id', models.UUIDField()),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('canceled', 'Canceled')], default='pending', max_length=9)),
                ('attempts', models.IntegerField(default=0)),
                ('failures', models.SmallIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'connect_webhook_delivery',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.UUIDField(default=connect.kit.ids.new, editable=False, primary_key=True, serialize=False)),
                ('account_id', models.UUIDField()),
                ('url', models.CharField(max_length=2048)),
                ('description', models.CharField(blank=True, max_length=1000)),
                ('enabled_events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None)),
                ('secret', models.BinaryField(help_text='sealed; null once the endpoint is deleted', null=True)),
                ('previous_secret', models.BinaryField(help_text='sealed; signs too until `previous_secret_until`', null=True)),
                ('previous_secret_until', models.DateTimeField(null=True)),
                ('status', models.CharField(choices=[('enabled', 'Enabled'), ('disabled', 'Disabled')], default='enabled', max_length=8)),
                ('disabled_reason', models.CharField(blank=True, choices=[('by_caller', 'By Caller'), ('failing', 'Failing'), ('gone', 'Gone')], max_length=10)),
                ('disabled_at', models.DateTimeField(null=True)),
                ('enabled_after', models.UUIDField()),
                ('api_version', models.CharField(blank=True, max_length=10)),
                ('metadata', models.JSONField(default=dict)),
                ('first_failure_at', models.DateTimeField(null=True)),
                ('failure_count', models.IntegerField(default=0)),
                ('failing_since', models.DateTimeField(null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('notice_due_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField()),
                ('deleted_at', models.DateTimeField(null=True)),
            ],
            options={
                'db_table': 'connect_webhook_endpoint',
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='event',
            name='fanned_out_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='only_endpoint_id',
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('fanned_out_at__isnull', True)), fields=['id'], name='connect_event_waiting'),
        ),
        migrations.AddConstraint(
            model_name='webhookattempt',
            constraint=models.UniqueConstraint(fields=('delivery_id', 'number'), name='connect_webhook_attempt_once'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'pending')), fields=['endpoint_id', 'next_attempt_at'], name='connect_webhook_delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['endpoint_id', '-id'], name='connect_webhook_delivery_new'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('event_id', 'endpoint_id'), name='connect_webhook_delivery_once'),
        ),
        migrations.AddIndex(
            model_name='webhookendpoint',
            index=models.Index(fields=['account_id', '-id'], name='connect_webhook_endpoint_new'),
        ),
    ]
