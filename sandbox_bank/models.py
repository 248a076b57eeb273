"""What the bank keeps. Amounts are whole minor units; negative is money out of the account."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Row(models.Model):
    """What all rows have in common."""

    class Meta:
        """No table of its own."""

        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"


class Bank(Row):
    """The one row of what is set for the whole bank.

    `frozen_at` stops its clock; otherwise `offset_seconds` is added to the machine's. `payment_script` is the list of
    statuses an order goes through once its customer agreed, one for each time its status is read.
    """

    objects: ClassVar[models.Manager[Bank]] = models.Manager()

    frozen_at = models.DateTimeField(null=True)
    offset_seconds = models.BigIntegerField(default=0)
    page_size = models.PositiveIntegerField(default=100)
    max_consent_days = models.PositiveIntegerField(default=180)
    calls_per_day = models.PositiveIntegerField(default=4)
    expire_former_consents = models.BooleanField(default=False)
    new_resource_ids = models.BooleanField(default=False)
    payment_script = models.JSONField(default=list)
    payment_reason = models.CharField(max_length=140, blank=True, default="")


class Customer(Row):
    """Somebody with a login. The password is shown on the bank's own pages, so it is kept as it is."""

    objects: ClassVar[models.Manager[Customer]] = models.Manager()

    login = models.CharField(max_length=70, unique=True)
    password = models.CharField(max_length=70)
    name = models.CharField(max_length=140)
    locked = models.BooleanField(default=False)
    code_fails = models.BooleanField(default=False)
    must_change_password = models.BooleanField(default=False)
    wrong_tries = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)


class Account(Row):
    """An account. Its balance is the sum of what is booked, the opening entry included."""

    objects: ClassVar[models.Manager[Account]] = models.Manager()

    customer = models.ForeignKey(Customer, models.CASCADE)
    customer_id: int
    resource_id = models.CharField(max_length=36, unique=True)
    iban = models.CharField(max_length=34, unique=True)
    bban = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=70)
    product = models.CharField(max_length=35)
    cash_account_type = models.CharField(max_length=4)
    status = models.CharField(max_length=8, default="enabled")


class Entry(Row):
    """A line of an account. `shown` holds fields of the wire that replace what would be shown, whatever they are."""

    objects: ClassVar[models.Manager[Entry]] = models.Manager()

    account = models.ForeignKey(Account, models.CASCADE)
    account_id: int
    transaction_id = models.CharField(max_length=70)
    entry_reference = models.CharField(max_length=35, blank=True, default="")
    end_to_end_id = models.CharField(max_length=35, blank=True, default="")
    pending = models.BooleanField(default=False)
    booking_date = models.DateField(null=True)
    value_date = models.DateField(null=True)
    amount = models.BigIntegerField()
    counterparty = models.CharField(max_length=70, blank=True, default="")
    counterparty_iban = models.CharField(max_length=34, blank=True, default="")
    remittance = models.CharField(max_length=140, blank=True, default="")
    reference = models.CharField(max_length=140, blank=True, default="")
    purpose_code = models.CharField(max_length=4, blank=True, default="")
    bank_code = models.CharField(max_length=35, blank=True, default="")
    exchange = models.JSONField(null=True)
    shown = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        """Newest first is how lists are read."""

        indexes: ClassVar = [models.Index(fields=["account", "pending", "-booking_date"], name="entry_by_date")]


class Consent(Row):
    """Access to accounts. `grants` is what the customer agreed to: `{account, resource, rights}` for each account."""

    objects: ClassVar[models.Manager[Consent]] = models.Manager()

    consent_id = models.CharField(max_length=36, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    customer_id: int | None
    tpp = models.CharField(max_length=140)
    request_id = models.CharField(max_length=36, unique=True)
    status = models.CharField(max_length=20, default="received")
    access = models.JSONField()
    grants = models.JSONField(default=list)
    recurring = models.BooleanField()
    valid_until = models.DateField()
    frequency = models.PositiveIntegerField()
    redirect_uri = models.CharField(max_length=2000)
    refused_uri = models.CharField(max_length=2000)
    last_action = models.DateField()
    created_at = models.DateTimeField()


class Payment(Row):
    """An order. `order` is what was handed in; `script` the statuses still to come."""

    objects: ClassVar[models.Manager[Payment]] = models.Manager()

    payment_id = models.CharField(max_length=36, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    customer_id: int | None
    debtor = models.ForeignKey(Account, models.CASCADE, null=True)
    debtor_id: int | None
    debit = models.ForeignKey(Entry, models.SET_NULL, null=True)
    tpp = models.CharField(max_length=140)
    request_id = models.CharField(max_length=36, unique=True)
    product = models.CharField(max_length=70)
    order = models.JSONField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=4, default="RCVD")
    reason = models.CharField(max_length=140, blank=True, default="")
    script = models.JSONField(default=list)
    redirect_uri = models.CharField(max_length=2000)
    refused_uri = models.CharField(max_length=2000)
    created_at = models.DateTimeField()


class Authorisation(Row):
    """One attempt of a customer to agree. `token` is in the address of its page, which lives ten minutes."""

    objects: ClassVar[models.Manager[Authorisation]] = models.Manager()

    authorisation_id = models.CharField(max_length=36, unique=True)
    token = models.CharField(max_length=64, unique=True)
    consent = models.ForeignKey(Consent, models.CASCADE, null=True)
    consent_id: int | None
    payment = models.ForeignKey(Payment, models.CASCADE, null=True)
    payment_id: int | None
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    sca_status = models.CharField(max_length=20, default="received")
    wrong_codes = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField()

    def subject(self) -> Consent | Payment:
        """What is agreed to."""
        found = self.consent or self.payment
        assert found is not None
        return found


class Fault(Row):
    """A way the interface misbehaves: where, how often and until when."""

    objects: ClassVar[models.Manager[Fault]] = models.Manager()

    kind = models.CharField(max_length=20)
    endpoint = models.CharField(max_length=20, blank=True, default="")
    remaining = models.PositiveIntegerField(null=True)
    until = models.DateTimeField(null=True)
    details = models.JSONField(default=dict)


class Call(Row):
    """A call of the interface, for whoever counts them and for the daily limit."""

    objects: ClassVar[models.Manager[Call]] = models.Manager()

    at = models.DateTimeField()
    day = models.DateField()
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=2000)
    endpoint = models.CharField(max_length=20)
    status = models.PositiveIntegerField()
    attended = models.BooleanField()
    counted = models.BooleanField(default=False)
    request_id = models.CharField(max_length=70, blank=True, default="")
    consent = models.CharField(max_length=70, blank=True, default="")
    account = models.CharField(max_length=36, blank=True, default="")

    class Meta:
        """The daily limit asks for this."""

        indexes: ClassVar = [models.Index(fields=["consent", "day", "endpoint", "account"], name="call_by_day")]
