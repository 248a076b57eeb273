"""API keys: shown once, found by checksum, rolled with overlap, dead within seconds."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from connect.domain import api_keys as form
from connect.domain import errors
from connect.domain.scopes import allows
from connect.kit import clock
from connect.kit.errors import ParameterInvalid, ResourceMissing
from connect.models import ApiKey, OrganizationAuditEntry
from connect.selectors import api_keys as selectors
from connect.selectors import credentials
from connect.services import api_keys


def test_a_key_names_its_mode_and_carries_a_checksum():
    secret = form.generate("test")
    assert secret.startswith("fc_test_")
    assert len(secret) == 8 + 36
    assert form.is_well_formed(secret)


def test_no_random_text_passes_for_a_key():
    """A scanner must not cry wolf: 100,000 well-shaped random texts, none accepted (2 in 10 billion would be)."""
    seed = random.randrange(2**32)
    print("seed", seed)
    generator = random.Random(seed)
    texts = ("fc_live_" + "".join(generator.choices(form.ALPHABET, k=36)) for _ in range(100_000))
    assert not any(form.is_well_formed(text) for text in texts)


def test_one_altered_character_is_noticed():
    secret = form.generate("live")
    altered = secret[:12] + ("x" if secret[12] != "x" else "y") + secret[13:]
    assert not form.is_well_formed(altered)


def test_the_secret_is_not_stored(caller):
    info, secret = api_keys.create(caller, name="Shop", scopes=["payments:write"])
    row = ApiKey.objects.get(name="Shop")
    stored = " ".join(str(value) for value in vars(row).values())
    assert secret not in stored
    assert secret[8:-4] not in stored
    assert (info.prefix, info.last4) == (secret[:8], secret[-4:])
    assert bytes(row.secret_hash) == form.digest(secret)


def test_making_a_key_is_audited(caller):
    info, _ = api_keys.create(caller, name="Shop", scopes=["*"])
    entry = OrganizationAuditEntry.objects.get(target=info.id)
    assert (entry.action, entry.data["name"]) == ("api_key.created", "Shop")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": " ", "scopes": ["*"]}, errors.KeyNameRequired),
        ({"name": "x" * 81, "scopes": ["*"]}, errors.KeyNameRequired),
        ({"name": "x", "scopes": ["payments:fly"]}, errors.ScopeUnknown),
        ({"name": "x", "scopes": []}, ParameterInvalid),
        ({"name": "x", "scopes": ["*"], "ip_allowlist": ["10.0.0.300"]}, ParameterInvalid),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_issued(caller, given, error):
    before = ApiKey.objects.count()
    with pytest.raises(error):
        api_keys.create(caller, **given)
    assert ApiKey.objects.count() == before


def test_an_expiry_in_the_past_is_refused(caller):
    with pytest.raises(ParameterInvalid):
        api_keys.create(caller, name="x", scopes=["*"], expires_at=clock.wall() - timedelta(seconds=1))


def test_rolling_keeps_the_rights_and_ends_the_old_key_on_time(caller):
    info, old = api_keys.create(caller, name="Shop", scopes=["payments:read"])
    _, new = api_keys.roll(caller, key_id=info.id, overlap_seconds=3600)
    before, after = credentials.resolve(old), credentials.resolve(new)
    assert before is not None
    assert after is not None
    assert after.scopes == before.scopes == {"payments:read"}
    assert not before.is_expired(clock.wall())
    assert before.is_expired(clock.wall() + timedelta(seconds=3601))


def test_rolling_without_overlap_ends_the_old_key_now(caller):
    info, old = api_keys.create(caller, name="Shop", scopes=["*"])
    api_keys.roll(caller, key_id=info.id, overlap_seconds=0)
    credential = credentials.resolve(old)
    assert credential is not None
    assert credential.is_expired(clock.wall())


def test_a_revoked_key_is_gone_and_stays_gone(caller):
    info, secret = api_keys.create(caller, name="Shop", scopes=["*"])
    assert credentials.resolve(secret) is not None
    api_keys.revoke(caller, key_id=info.id)
    assert credentials.resolve(secret) is None
    with pytest.raises(errors.KeyRevoked):
        api_keys.roll(caller, key_id=info.id, overlap_seconds=0)


def test_another_process_forgets_a_revoked_key_when_its_cache_ends(caller, monkeypatch):
    info, secret = api_keys.create(caller, name="Shop", scopes=["*"])
    assert credentials.resolve(secret) is not None
    monkeypatch.setattr(credentials, "forget", lambda: None)  # as if it had happened in another process
    api_keys.revoke(caller, key_id=info.id)
    assert credentials.resolve(secret) is not None
    now = credentials.time.monotonic()
    monkeypatch.setattr(credentials.time, "monotonic", lambda: now + credentials.CACHE_SECONDS)
    assert credentials.resolve(secret) is None


def test_another_environments_key_cannot_be_touched(environments, caller):
    from dataclasses import replace

    info, _ = api_keys.create(caller, name="Shop", scopes=["*"])
    stranger = replace(caller, environment=environments["other/test"])
    with pytest.raises(ResourceMissing):
        api_keys.revoke(stranger, key_id=info.id)
    assert selectors.get(environments["other/test"].id, info.id) is None


def test_an_address_list_binds(api_as, caller, db):
    from tests.conftest import Api

    _, secret = api_keys.create(caller, name="Shop", scopes=["*"], ip_allowlist=["10.1.0.0/16"])
    answer = Api(secret).get("/v1/balance")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "address_not_allowed")
    _, secret = api_keys.create(caller, name="Shop", scopes=["*"], ip_allowlist=["127.0.0.0/8"])
    assert Api(secret).get("/v1/balance").status_code == 200


def test_last_used_is_written_at_most_once_a_minute(caller):
    info, _ = api_keys.create(caller, name="Shop", scopes=["*"])
    first = clock.wall()
    for seconds, expected in ((0, 0), (30, 0), (61, 61)):
        api_keys.mark_used({info.id: first + timedelta(seconds=seconds)})
        shown = selectors.get(caller.environment.id, info.id)
        assert shown is not None
        assert shown.last_used_at == first + timedelta(seconds=expected)


@pytest.mark.parametrize(
    ("granted", "wanted", "allowed"),
    [
        ({"*"}, "ledger:write", True),
        ({"payments:write"}, "payments:read", True),
        ({"payments:read"}, "payments:write", False),
        ({"payments:write"}, "customers:read", False),
        (set(), "payments:read", False),
    ],
)
def test_writing_includes_reading_and_nothing_else(granted, wanted, allowed):
    assert allows(frozenset(granted), wanted) is allowed
