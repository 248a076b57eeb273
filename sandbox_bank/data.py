"""What the bank holds when nothing has happened yet: customers, accounts, and a year up to the bank's today.

All of it follows from the day alone, so a bank that is reset on the same day is the same bank. Amounts vary with a
generator that is seeded by the account's number; every balance is the sum of its entries.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from sandbox_bank import clock, ibans
from sandbox_bank.models import Account, Authorisation, Bank, Call, Consent, Customer, Entry, Fault, Payment

NAMESPACE = uuid.UUID("6f2b2f5c-6f0e-4a55-9e64-0d2d5f3a9990")
MONTHS = 12
LOCK = 7_999_001


@dataclass(frozen=True)
class Person:
    """A login and what is special about it."""

    login: str
    password: str
    name: str
    special: dict[str, bool] = field(default_factory=dict)
    accounts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Holding:
    """An account: its number decides its IBAN and its entries."""

    number: int
    currency: str
    name: str
    product: str
    opening: int
    kind: str = "CACC"


@dataclass(frozen=True)
class Habit:
    """What happens every month: on which days, for how much (minor units, the amount varies between both)."""

    days: tuple[int, ...]
    least: int
    most: int
    who: str
    what: str
    iban: str = ""
    reference: str = ""
    purpose: str = ""
    code: str = "PMNT-ICDT-ESCT"
    exchange: tuple[str, str] | None = None
    step: int = 100


CARD = "PMNT-CCRD-POSD"
INSIDE = "PMNT-ICDT-BOOK"
TRANSFER = "PMNT-RCDT-ESCT"
CURRENT, EURO, DINAR, LEK, SAVINGS = 2000010001, 2000010002, 2000010003, 2000010004, 2000010005
MANY = tuple(range(3000010001, 3000010013))

HOLDINGS = {
    one.number: one
    for one in (
        Holding(CURRENT, "MKD", "Трансакциска сметка", "Тековна сметка", 4_250_000),
        Holding(EURO, "EUR", "Euro account", "Foreign currency account", 182_000),
        Holding(DINAR, "RSD", "Dinarski račun", "Tekući račun", 6_400_000),
        Holding(LEK, "ALL", "Llogari rrjedhëse", "Llogari", 9_100_000),
        Holding(SAVINGS, "MKD", "Штедна сметка", "Штедење по видување", 15_000_000, "SVGS"),
        Holding(4000010001, "MKD", "Трансакциска сметка", "Тековна сметка", 2_000_000),
        Holding(4000010002, "MKD", "Трансакциска сметка", "Тековна сметка", 2_000_000),
        Holding(4000010003, "MKD", "Трансакциска сметка", "Тековна сметка", 2_000_000),
        *(
            Holding(
                number,
                ("MKD", "EUR", "RSD", "ALL")[position % 4],
                f"Account {position + 1}",
                "Current account",
                1_000_000,
            )
            for position, number in enumerate(MANY)
        ),
    )
}
PEOPLE = (
    Person("user_good", "pass_good", "Ана Петровска", accounts=(CURRENT, EURO, DINAR, LEK, SAVINGS)),
    Person("user_locked", "pass_good", "Lumturi Hoxha", {"locked": True}, (4000010001,)),
    Person("user_wrong_sca", "pass_good", "Jelena Jovanović", {"code_fails": True}, (4000010002,)),
    Person("user_password", "pass_good", "Игор Стојанов", {"must_change_password": True}, (4000010003,)),
    Person("user_empty", "pass_good", "Arta Krasniqi"),
    Person("user_many", "pass_good", "Балкан Трејд ДОО", accounts=MANY),
)


def iban_of(number: int, currency: str) -> str:
    """The IBAN of one of the bank's accounts: dinars are kept in Serbia, lek in Albania, all else in Skopje."""
    country = {"RSD": ibans.serbian, "ALL": ibans.albanian}.get(currency, ibans.macedonian)
    return country(number)


LANDLORD, EMPLOYER = ibans.macedonian(7000010001), ibans.macedonian(7000010002)
POWER, TELECOM, WATER = (ibans.macedonian(7000010003 + number) for number in range(3))
HABITS: dict[int, tuple[Habit, ...]] = {
    CURRENT: (
        Habit((25,), 6_180_000, 6_180_000, "ТЕХНОСОФТ ДООЕЛ Скопје", "Плата", EMPLOYER, purpose="SALA", code=TRANSFER),
        Habit((1,), -1_845_000, -1_845_000, "Марко Илиевски", "Кирија за стан", LANDLORD, purpose="RENT"),
        Habit((12,), -310_000, -140_000, "ЕВН ХОУМ ДОО Скопје", "Електрична енергија", POWER, "4012345678", "ELEC"),
        Habit((14,), -129_900, -129_900, "МАКЕДОНСКИ ТЕЛЕКОМ АД", "Фактура за услуги", TELECOM, "77-104-22", "PHON"),
        Habit((16,), -92_000, -45_000, "ЈП ВОДОВОД И КАНАЛИЗАЦИЈА", "Сметка за вода", WATER, "0098123", "WTER"),
        Habit(
            (2, 6, 10, 15, 19, 23, 27), -285_000, -41_000, "TINEX MARKETI Skopje", "Kupuvanje so karticka", code=CARD
        ),
        Habit((4, 13, 22), -390_000, -60_000, "ВЕРО ЏАМБО Скопје", "Купување со картичка", code=CARD),
        Habit((8, 20), -260_000, -150_000, "MAKPETROL BS 12", "Gorivo", code=CARD),
        Habit((5, 18), -180_000, -35_000, "WOLT Skopje", "Wolt 7781", code=CARD),
        Habit((9,), -300_000, -300_000, "", "Подигање готовина, банкомат Плоштад", code="PMNT-CCRD-CWDL"),
        Habit((26,), -300_000, -300_000, "Ана Петровска", "На штедење", iban_of(SAVINGS, "MKD"), code=INSIDE),
        Habit(
            (7,),
            -615_000,
            -615_000,
            "Ана Петровска",
            "Купување девизи EUR 100,00",
            iban_of(EURO, "EUR"),
            code=INSIDE,
            exchange=("EUR", "61.50"),
        ),
        Habit((28,), -9_000, -9_000, "", "Провизија за водење сметка", code="ACMT-MDOP-CHRG"),
    ),
    EURO: (
        Habit(
            (7,),
            10_000,
            10_000,
            "Ана Петровска",
            "Kupena devizna EUR",
            iban_of(CURRENT, "MKD"),
            code=INSIDE,
            exchange=("MKD", "61.50"),
        ),
        Habit(
            (11,),
            38_000,
            64_000,
            "Müller & Söhne GmbH",
            "Invoice web design",
            "DE89370400440532013000",
            "RF18539007547034",
            code=TRANSFER,
        ),
        Habit((3,), -1_299, -1_299, "NETFLIX.COM", "Subscription", code=CARD),
        Habit((17,), -1_099, -1_099, "Spotify AB", "Spotify Premium", code=CARD),
        Habit((21,), -18_900, -4_200, "BOOKING.COM Amsterdam", "Hotel", code=CARD, step=10),
        Habit((24,), -9_900, -1_900, "AMAZON.DE", "Order", code=CARD, step=1),
    ),
    DINAR: (
        Habit(
            (10,),
            4_500_000,
            5_200_000,
            "Kafić Moskva DOO Beograd",
            "Uplata po fakturi",
            ibans.serbian(8000010001),
            "97-163220000111111111000",
            code=TRANSFER,
        ),
        Habit(
            (15,),
            -640_000,
            -290_000,
            "JP EPS BEOGRAD",
            "Račun za električnu energiju",
            ibans.serbian(8000010002),
            "97163220000111111111000",
        ),
        Habit((5, 19), -720_000, -130_000, "MAXI Beograd", "Kupovina karticom", code=CARD),
        Habit((22,), -199_900, -199_900, "Telekom Srbija", "mts račun", ibans.serbian(8000010003)),
        Habit((27,), -850_000, -400_000, "NIS PETROL Niš", "Gorivo", code=CARD),
    ),
    LEK: (
        Habit(
            (6,),
            5_400_000,
            6_000_000,
            "Studio Tirana SHPK",
            "Faturë shërbimi",
            ibans.albanian(9000010001),
            code=TRANSFER,
        ),
        Habit((14,), -590_000, -320_000, "OSHEE", "Energji elektrike", ibans.albanian(9000010002), "A100200300"),
        Habit((9, 24), -660_000, -180_000, "SPAR Albania Tiranë", "Pagesë me kartë", code=CARD),
        Habit((18,), -990_000, -450_000, "Hotel Adriatik Durrës", "Akomodim", code=CARD),
    ),
    SAVINGS: (
        Habit((26,), 300_000, 300_000, "Ана Петровска", "На штедење", iban_of(CURRENT, "MKD"), code=INSIDE),
        Habit((28,), 24_000, 31_000, "", "Камата по видување", code="ACMT-MCOP-INTR", step=1),
    ),
}
PLAIN = (
    Habit((3, 17), -90_000, -20_000, "KAM Market", "Kupuvanje", code=CARD),
    Habit((11,), -60_000, -30_000, "ЕВН ХОУМ ДОО Скопје", "Електрична енергија", POWER, purpose="ELEC"),
    Habit((20,), 150_000, 260_000, "Клиент АД", "Уплата по фактура", ibans.macedonian(7000010009), code=TRANSFER),
)
PENDING: dict[int, tuple[Habit, ...]] = {
    CURRENT: (
        Habit((0,), -148_000, -148_000, "TINEX MARKETI Skopje", "Kupuvanje so karticka", code=CARD),
        Habit((1,), -62_000, -62_000, "КАФЕ ЛИ Скопје", "Купување со картичка", code=CARD),
    ),
    EURO: (Habit((0,), -2_450, -2_450, "AMAZON.DE", "Order", code=CARD),),
}
"""What is on its way; `days` counts back from today."""


@transaction.atomic
def seed() -> bool:
    """Fill the bank unless somebody has; says whether it was empty."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    if Customer.objects.exists():
        return False
    clock.bank()
    for person in PEOPLE:
        row = Customer.objects.create(login=person.login, password=person.password, name=person.name, **person.special)
        for number in person.accounts:
            _open(row, HOLDINGS[number])
    return True


@transaction.atomic
def reset() -> None:
    """Forget everything and fill the bank anew. The clock runs right again.

    What a day begins with is made once by each process and then poured in as it is: tests reset before each test.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(f"TRUNCATE {', '.join(_table(one) for one in (*FILLED, *EMPTY))} RESTART IDENTITY")
        Bank.objects.all().delete()
        today = clock.today()
        if today in _kept:
            for model, rows in zip(FILLED, _kept[today], strict=True):
                _pour_in(cursor, _table(model), rows)
        else:
            seed()
            _kept.clear()
            _kept[today] = [_pour_out(cursor, _table(model)) for model in FILLED]


FILLED = (Customer, Account, Entry)
EMPTY = (Authorisation, Payment, Consent, Fault, Call)
_kept: dict[date, list[bytes]] = {}


def _table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def _pour_out(cursor: Any, table: str) -> bytes:
    with cursor.copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(bytes(part) for part in copy)


def _pour_in(cursor: Any, table: str, rows: bytes) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        copy.write(rows)
    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608


def _open(customer: Customer, holding: Holding) -> None:
    iban = iban_of(holding.number, holding.currency)
    account = Account.objects.create(
        customer=customer,
        resource_id=str(uuid.uuid5(NAMESPACE, iban)),
        iban=iban,
        bban=iban[4:],
        currency=holding.currency,
        name=holding.name,
        product=holding.product,
        cash_account_type=holding.kind,
    )
    dice = random.Random(holding.number)  # noqa: S311  it plays, it keeps no secret
    today = clock.today()
    began = _month(today, MONTHS)
    lines: list[tuple[date, bool, dict[str, Any]]] = [(began, False, _opening(holding))]
    for habit in HABITS.get(holding.number, PLAIN):
        lines += [(day, False, _line(habit, holding, dice, day)) for day in _days(habit, began, today)]
    lines.sort(key=lambda line: line[0])
    for habit in PENDING.get(holding.number, ()):
        day = today - timedelta(days=habit.days[0])
        lines.append((day, True, _line(habit, holding, dice, day)))
    Entry.objects.bulk_create(
        Entry(
            account=account,
            transaction_id=f"{holding.number}-{day:%y%m%d}-{position:04}",
            entry_reference="" if pending else f"{day:%Y%m%d}{position:06}",
            pending=pending,
            booking_date=None if pending else day,
            value_date=day,
            created_at=datetime.combine(day, time(9), UTC),
            **columns,
        )
        for position, (day, pending, columns) in enumerate(lines)
    )


def _opening(holding: Holding) -> dict[str, Any]:
    return {"amount": holding.opening, "remittance": "Opening balance", "bank_code": "ACMT-MCOP-OTHR"}


def _line(habit: Habit, holding: Holding, dice: random.Random, day: date) -> dict[str, Any]:
    amount = dice.randrange(habit.least, habit.most + 1, habit.step)
    columns: dict[str, Any] = {
        "amount": amount,
        "counterparty": habit.who,
        "counterparty_iban": habit.iban,
        "remittance": f"{habit.what} {day:%m/%Y}" if habit.iban else habit.what,
        "reference": habit.reference,
        "purpose_code": habit.purpose,
        "bank_code": habit.code,
        "end_to_end_id": f"E{day:%y%m%d}{habit.days[0]:02}{abs(amount)}" if habit.iban else "",
    }
    if habit.exchange:
        other, rate = habit.exchange
        columns["exchange"] = {
            "sourceCurrency": holding.currency, "targetCurrency": other, "unitCurrency": "EUR", "exchangeRate": rate,
            "quotationDate": day.isoformat(),
        }  # fmt: skip
    return columns


def _days(habit: Habit, began: date, today: date) -> Iterator[date]:
    """Every day of the habit after the opening, up to yesterday."""
    for back in range(MONTHS, -1, -1):
        first = _month(today, back)
        for number in habit.days:
            day = first.replace(day=number)
            if began < day <= today - timedelta(days=1):
                yield day


def _month(today: date, back: int) -> date:
    """The first day of the month so many months ago."""
    months = today.year * 12 + today.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
