"""The link page, from the choice of a bank to the last word, and every way that it can end otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest

from banks import tasks
from banks.clients.connector import BadResponse, InstitutionDown, NotSupported, ScaFailed
from banks.models import Connection, LinkSession
from banks.selectors import link_sessions as selectors
from banks.services import link_sessions, link_tokens
from connect.kit import clock
from connect.kit.caller import Caller
from connect.kit.tenancy import use_environment
from tests.banks.fake_bank import account
from tests.banks.link.conftest import APP, alert, heading


def row(environment, made):
    with use_environment(environment):
        return LinkSession.objects.get(pk=selectors.ids.decode("lks", made["id"]))


def test_a_customer_finds_their_bank_agrees_chooses_and_the_app_takes_over(session, customer, now, bank, told, caller):
    made = session(return_url=APP, purpose="To see your income", metadata={"a": "b"})
    visitor = customer(made)
    assert heading(visitor.open()) == "Choose your bank"
    consent = visitor.open("?bank=sandbox-bank").content.decode()
    for text in ("To see your income", "90 days", "Their balances", "We never see your password", "180 days"):
        assert text in consent
    assert bank.count() == 0, "nothing is asked of a bank before they agree"
    assert visitor.agree()["Location"].startswith("/link/"), "a bank whose pages are elsewhere is reached by a link"
    at_bank = visitor.open()
    assert "Continue at Sandbox Bank" in heading(at_bank)
    assert now(made)["status"] == "at_bank"
    bank.agree()
    assert visitor.come_back()["Location"] == visitor.path
    choice = visitor.open().content.decode()
    assert "MK•• •••• 0195" in choice
    assert "MK07999000000000195" not in choice
    assert "1,000.00\N{NO-BREAK SPACE}MKD" in choice
    done = visitor.post(action="choose", account=["a-2"])
    assert done["Location"] == f"https://app.example/linked?x=1&link_session={made['id']}&status=complete"
    after = now(made)
    assert (after["status"], after["url"], after["last_error"]) == ("complete", None, None)
    assert told() == ["link_session.completed"], "the connection is not spoken of before the app takes it"
    with use_environment(caller.environment):
        connection = link_tokens.exchange(caller, public_token=after["public_token"])
        assert (connection.status, connection.client_reference_id) == ("active", "user-7")
        assert (connection.permissions, connection.metadata) == (["accounts", "balances", "transactions"], {"a": "b"})
    assert now(made)["public_token"] is None
    assert told() == ["link_session.completed", "connection.created", "account.created"]


@pytest.mark.parametrize("query", ["sandbox", "SANDBOX bank", "сандбо"])
def test_the_sandbox_comes_first_and_is_found_in_either_script(session, customer, query):
    page = customer(session()).open(f"?q={query}").content.decode()
    assert '<a class="bank" href="?bank=sandbox-bank' in page.partition('class="banks"')[2][:80]


def test_banks_are_found_by_name_and_country_and_those_out_of_reach_say_why(session, customer):
    visitor = customer(session(countries=["mk", "rs"]))
    page = visitor.open("?q=стопанска").content.decode()
    assert "Stopanska banka AD Skopje" in page
    assert "Not connected here yet" in page
    assert "?bank=stopanska-mk" not in page
    serbian = visitor.open("?country=rs").content.decode()
    assert "Stopanska banka AD Skopje" not in serbian
    assert "Serbia ·" in serbian
    everywhere = visitor.open("?country=al").content.decode()
    assert "Albania ·" not in everywhere, "the app asked for two countries"
    assert "No bank has this name" in visitor.open("?q=xyzzy").content.decode()
    assert visitor.client.get(f"{visitor.path}?country=%00").status_code == 400
    assert (
        alert(visitor.open("?bank=stopanska-mk"))
        == "This bank cannot be linked here at the moment. Choose another one."
    )
    assert alert(visitor.agree("stopanska-mk")).startswith("This bank cannot be linked here")


def test_who_refuses_at_the_bank_is_told_and_can_try_again(session, customer, now, bank, told):
    made = session(return_url=APP)
    visitor = customer(made)
    visitor.agree()
    bank.refuse()
    assert visitor.come_back(refused=True)["Location"] == visitor.path
    assert "You did not agree at your bank. Nothing was shared." in alert(visitor.open())
    assert (now(made)["status"], now(made)["last_error"]["code"]) == ("open", "user_canceled")
    assert told() == ["link_session.failed"]
    visitor.link()
    assert now(made)["status"] == "complete"
    assert told() == ["link_session.failed", "link_session.completed"]


def test_the_way_for_a_no_is_a_no_even_if_the_bank_still_waits(session, customer, now):
    made = session()
    visitor = customer(made)
    visitor.agree()
    visitor.come_back(refused=True)
    assert (now(made)["status"], now(made)["last_error"]["code"]) == ("open", "user_canceled")


@pytest.mark.parametrize(
    ("failure", "code", "text"),
    [
        (ScaFailed(), "sca_failed", "could not confirm that it is you"),
        (NotSupported(), "not_supported", "offers no account"),
    ],
)
def test_what_fails_at_the_bank_is_said_in_words(session, customer, now, bank, told, failure, code, text):
    made = session()
    visitor = customer(made)
    visitor.agree()
    bank.will("consent_state", failure)
    visitor.come_back()
    assert text in alert(visitor.open())
    assert (now(made)["status"], now(made)["last_error"]["code"]) == ("open", code)
    assert told() == ["link_session.failed"]


def test_a_bank_without_accounts_gives_nothing_to_choose(session, customer, now, bank):
    bank.accounts_held.clear()
    made = session()
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    visitor.come_back()
    assert "offers no account" in alert(visitor.open())
    assert now(made)["status"] == "open"


def test_a_bank_that_is_down_leaves_the_choice_to_the_customer(session, customer, now, bank, told):
    made = session()
    visitor = customer(made)
    bank.will("begin_consent", InstitutionDown())
    visitor.agree()
    page = visitor.open("?bank=sandbox-bank")
    assert "Your bank does not answer at the moment" in alert(page)
    assert "?another=1" in page.content.decode()
    assert (now(made)["status"], told()) == ("open", ["link_session.failed"])
    visitor.agree()
    assert now(made)["status"] == "at_bank"


@pytest.mark.parametrize("failure", [InstitutionDown(), BadResponse()])
def test_a_bank_that_does_not_answer_on_the_way_back_is_asked_again_by_the_page(session, customer, now, bank, failure):
    made = session()
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    bank.will("accounts", failure)
    first = visitor.come_back()["Location"]
    assert first == f"{visitor.path}?look=1"
    waiting = visitor.client.get(first)
    assert heading(waiting) == "Waiting for your bank"
    assert waiting["Refresh"] == f"3; url={visitor.path}?look=1&now=1"
    assert now(made)["status"] == "at_bank"
    bank.will("accounts", failure)
    assert visitor.client.get(f"{visitor.path}?look=1&now=1")["Location"] == f"{visitor.path}?look=2"
    assert visitor.client.get(f"{visitor.path}?look=2&now=1")["Location"] == visitor.path
    assert heading(visitor.open()) == "Choose your accounts"


def test_the_page_does_not_look_for_ever(session, customer, bank):
    visitor = customer(session())
    visitor.agree()
    page = visitor.open("?look=11")
    assert "Refresh" not in page
    assert alert(visitor.open("?look=" + "9" * 5000)) == alert(page)
    assert "does not answer" in alert(page)
    assert bank.count("consent_state") == 0


def test_who_comes_back_too_early_is_shown_the_way(session, customer, now):
    made = session()
    visitor = customer(made)
    visitor.agree()
    location = visitor.come_back()["Location"]
    page = visitor.client.get(location)
    assert alert(page) == "You have not finished at your bank yet."
    assert "look again" in page.content.decode()
    assert now(made)["status"] == "at_bank"


def test_another_device_another_tab_and_a_refresh_find_the_visit_where_it_is(
    session, customer, now, bank, told, client
):
    made = session(return_url=APP)
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    elsewhere = type(client)()
    assert elsewhere.get(visitor.way_back())["Location"] == visitor.path
    assert heading(visitor.open()) == "Choose your accounts"
    visitor.come_back()
    assert bank.count("accounts") == 1, "a second return asks nothing"
    ends = [visitor.post(action="choose", account=[one])["Location"] for one in ("a-1", "a-2")]
    assert ends[0] == ends[1]
    assert told() == ["link_session.completed"]
    assert "is linked" in heading(visitor.open())
    assert visitor.agree()["Location"] == ends[0]
    assert visitor.post(action="cancel")["Location"] == ends[0]
    assert now(made)["status"] == "complete"


def test_whoever_comes_while_the_bank_is_asked_waits(session, customer, environment, bank):
    made = session()
    visitor = customer(made)
    with use_environment(environment):
        LinkSession.objects.update(lease_until=clock.wall() + timedelta(seconds=20))
    assert visitor.open()["Refresh"] == f"2; url={visitor.path}"
    visitor.agree()
    assert bank.count() == 0
    with use_environment(environment):
        LinkSession.objects.update(lease_until=clock.wall())
    visitor.agree()
    assert bank.count("begin_consent") == 1


def test_another_bank_gives_back_what_was_begun_at_the_first(session, customer, bank, now):
    made = session()
    visitor = customer(made)
    visitor.agree()
    first = bank.newest_consent()
    assert heading(visitor.open("?another=1")) == "Choose your bank"
    visitor.agree()
    assert (bank.count("revoke_consent"), bank.consents[first].status) == (1, "revoked")
    bank.agree()
    visitor.come_back()
    assert heading(visitor.open()) == "Choose your accounts"
    assert now(made)["status"] == "choosing"


def test_cancel_shares_nothing_and_gives_the_consent_back(session, customer, now, bank, told, environment):
    made = session(return_url=APP)
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    visitor.come_back()
    answer = visitor.post(action="cancel")
    assert answer["Location"] == f"https://app.example/linked?x=1&link_session={made['id']}&status=canceled"
    assert heading(visitor.open()) == "Nothing was shared"
    assert told() == ["link_session.canceled"]
    bank.will("revoke_consent", InstitutionDown())
    assert [tasks.give_back_links(str(environment.id)) for _ in range(3)] == [0, 0, 0]
    assert bank.count("revoke_consent") == 1, "a bank that did not take it is not asked again at once"
    assert heading(visitor.open()) == "Nothing was shared"
    time_to_give_back_again(environment)
    assert tasks.give_back_links(str(environment.id)) == 1
    assert bank.consents[bank.newest_consent()].status == "revoked"
    assert tasks.give_back_links(str(environment.id)) == 0
    assert row(environment, made).handle_sealed is None
    assert visitor.post(action="choose", account=["a-1"])["Location"] == answer["Location"]
    with use_environment(environment):
        assert Connection.objects.count() == 0


def time_to_give_back_again(environment) -> None:
    with use_environment(environment):
        LinkSession.objects.update(lease_until=clock.wall() - timedelta(seconds=1))


def test_consents_are_given_back_whatever_becomes_of_the_one_before(session, customer, bank, environment, monkeypatch):
    monkeypatch.setattr(link_sessions, "BATCH", 2)
    consents = []
    for _ in range(4):
        visitor = customer(made := session())
        visitor.agree()
        consents.append(bank.newest_consent())
        visitor.post(action="cancel")
        if len(consents) == 2:
            with use_environment(environment):
                LinkSession.objects.filter(pk=row(environment, made).pk).update(handle_sealed=b"broken")
    bank.will("revoke_consent", InstitutionDown())
    assert [tasks.give_back_links(str(environment.id)) for _ in range(2)] == [0, 2]
    assert [bank.consents[name].status for name in consents] == ["pending", "pending", "revoked", "revoked"]
    time_to_give_back_again(environment)
    assert tasks.give_back_links(str(environment.id)) == 1
    assert bank.consents[consents[0]].status == "revoked"


def test_a_consent_that_cannot_be_given_back_is_let_go_after_a_day(session, customer, bank, environment, told):
    visitor = customer(session())
    visitor.agree()
    visitor.post(action="cancel")
    with use_environment(environment):
        LinkSession.objects.update(ended_at=clock.wall() - timedelta(days=1, minutes=1))
    bank.will("revoke_consent", InstitutionDown())
    assert tasks.give_back_links(str(environment.id)) == 1
    assert tasks.give_back_links(str(environment.id)) == 0


def test_a_session_that_ran_out_takes_nothing_and_is_ended_by_the_job(session, customer, now, bank, told, environment):
    made = session(return_url=APP)
    visitor = customer(made)
    with use_environment(environment):
        LinkSession.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    assert heading(visitor.open()) == "This page is no longer open"
    visitor.agree()
    assert bank.count() == 0
    assert tasks.expire_links(str(environment.id)) == 1
    assert (now(made)["status"], told()) == ("expired", ["link_session.expired"])
    assert tasks.expire_links(str(environment.id)) == 0
    assert "status=expired" in visitor.open().content.decode()


def test_no_account_is_no_choice(session, customer, now, bank):
    made = session()
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    visitor.come_back()
    for chosen in ([], ["a-9"]):
        assert alert(visitor.post(action="choose", account=chosen)) == "Choose at least one account."
    assert now(made)["status"] == "choosing"


def test_an_address_that_is_not_one_leads_nowhere(session, customer, client):
    visitor = customer(session())
    for path in (
        "/link/x",
        visitor.path[:-1] + "x",
        "/link/back/" + visitor.path.rpartition("/")[2],
        "/consents/a.b.c",
    ):
        answer = client.get(path)
        assert (answer.status_code, heading(answer)) == (404, "This link leads nowhere")
        assert answer["Cache-Control"] == "no-store"


def test_the_page_lets_forms_lead_to_the_bank_and_the_app_only(session, customer):
    visitor = customer(session(return_url=APP))
    answer = visitor.open("?bank=sandbox-bank")
    policy = answer["Content-Security-Policy"]
    assert "form-action 'self' http://bank.test https://app.example;" in f"{policy};"
    assert "script-src 'none'" in policy
    assert answer["Cache-Control"] == "no-store"
    assert len(answer.content) < 20_000


# --- update mode ------------------------------------------------------------------------------------------------------


def linked(api, session, customer, now, caller):
    made = session()
    customer(made).link("a-1")
    with use_environment(caller.environment):
        return link_tokens.exchange(caller, public_token=now(made)["public_token"]).id


def test_update_mode_renews_the_same_connection_without_a_choice(api, session, customer, now, bank, told, caller):
    connection = linked(api, session, customer, now, caller)
    bank.accounts_held.clear()
    bank.put(account("renamed-1"))
    made = session(mode="update", connection=connection, return_url=APP)
    assert (made["connection"], made["client_reference_id"]) == (connection, "user-7")
    visitor = customer(made)
    assert "go on reading" in heading(visitor.open())
    visitor.agree()
    bank.agree()
    assert visitor.come_back()["Location"].endswith("status=complete")
    after = now(made)
    assert (after["status"], after["public_token"], after["connection"]) == ("complete", None, connection)
    assert told()[-2:] == ["connection.repaired", "link_session.completed"]
    assert told().count("account.created") == 1, "the account is the one that it was"


def test_who_cancels_a_renewal_or_comes_too_late_reads_that_all_is_as_before(
    api, session, customer, now, caller, environment
):
    connection = linked(api, session, customer, now, caller)
    visitor = customer(session(mode="update", connection=connection))
    assert "Cancel, and change nothing" in visitor.open().content.decode()
    visitor.post(action="cancel")
    page = visitor.open()
    assert heading(page) == "Nothing was changed"
    assert "sees nothing" not in page.content.decode(), "it goes on reading"
    late = customer(session(mode="update", connection=connection))
    with use_environment(environment):
        LinkSession.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    assert "nothing was changed" in late.open().content.decode()
    assert api.get(f"/v1/banking/connections/{connection}").json()["status"] == "active"


def test_update_mode_wants_the_same_persons_accounts(api, session, customer, now, bank, caller, told):
    connection = linked(api, session, customer, now, caller)
    bank.accounts_held.clear()
    bank.put(account("b-1", "MK07999000000000389"))
    made = session(mode="update", connection=connection)
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    visitor.come_back()
    assert "These are not the accounts that were linked before" in alert(visitor.open())
    assert (now(made)["status"], told()[-1]) == ("open", "link_session.failed")


def test_a_connection_that_was_removed_while_its_customer_was_at_the_bank_is_not_renewed(
    api, session, customer, now, bank, caller, told
):
    from banks.services import connections

    connection = linked(api, session, customer, now, caller)
    made = session(mode="update", connection=connection)
    visitor = customer(made)
    visitor.agree()
    bank.agree()
    with use_environment(caller.environment):
        connections.remove(caller, connection)
    visitor.come_back()
    assert (now(made)["status"], told()[-1]) == ("canceled", "link_session.canceled")
    assert tasks.give_back_links(str(caller.environment.id)) == 1


# --- consents ---------------------------------------------------------------------------------------------------------


def consents_of(visitor):
    page = visitor.open().content.decode()
    return page.partition('href="/consents/')[2].partition('"')[0]


def test_a_customer_sees_and_ends_what_they_agreed_to(api, session, customer, now, told, caller, client):
    linked(api, session, customer, now, caller)
    made = session()
    visitor = customer(made)
    visitor.link()
    path = f"/consents/{consents_of(visitor)}"
    with use_environment(caller.environment):
        second = link_tokens.exchange(caller, public_token=now(made)["public_token"]).id
    page = client.get(path).content.decode()
    assert page.count("<section") == 2, "everything of the same customer"
    assert "Main •••• 0195" in page
    assert heading(client.get(f"{path}?withdraw={second}")) == "Should Acme no longer read Sandbox Bank?"
    assert "connection.revoked" not in told(), "asking is not ending"
    for _ in range(2):
        assert client.post(path, {"connection": second})["Location"] == path
    assert told().count("connection.revoked") == 1
    assert "You ended it" in client.get(path).content.decode()


def test_a_consent_page_shows_nobody_elses(api, session, customer, now, caller, client):
    linked(api, session, customer, now, caller)
    made = session(client_reference_id="somebody else")
    visitor = customer(made)
    visitor.link()
    path = f"/consents/{consents_of(visitor)}"
    assert client.get(path).content.decode().count("<section") == 1
    with use_environment(caller.environment):
        theirs = Connection.objects.get(client_reference_id="user-7")
        client.post(path, {"connection": selectors.ids.encode("conn", theirs.id)})
    with use_environment(caller.environment):
        assert Connection.objects.get(pk=theirs.id).status == "active"
    short, _, signature = path.removeprefix("/consents/").split(".")
    forged = selectors.ids.encode("conn", theirs.id).removeprefix("conn_")
    assert client.get(f"/consents/{short}.{forged}.{signature}").status_code == 404


def test_who_withdraws_before_the_app_took_over_leaves_nothing_to_take(session, customer, now, client, api, caller):
    made = session()
    visitor = customer(made)
    visitor.link()
    token = now(made)["public_token"]
    path = f"/consents/{consents_of(visitor)}"
    with use_environment(caller.environment):
        (connection,) = Connection.objects.all()
    client.post(path, {"connection": selectors.ids.encode("conn", connection.id)})
    with use_environment(caller.environment), pytest.raises(link_tokens.errors.PublicTokenInvalid):
        link_tokens.exchange(caller, public_token=token)


# --- the public token -------------------------------------------------------------------------------------------------


def test_a_public_token_is_exchanged_once_by_its_own_app(session, customer, now, caller, environments):
    made = session()
    customer(made).link()
    token = now(made)["public_token"]
    assert token.startswith("public_test_")
    strangers = [Caller(environments["other/test"], caller.actor), Caller(environments["acme/live"], caller.actor)]
    for stranger in strangers:
        with use_environment(stranger.environment), pytest.raises(link_tokens.errors.PublicTokenInvalid):
            link_tokens.exchange(stranger, public_token=token)
    with use_environment(caller.environment):
        found = link_tokens.exchange(caller, public_token=token)
    with use_environment(caller.environment), pytest.raises(link_tokens.errors.PublicTokenExchanged, match=found.id):
        link_tokens.exchange(caller, public_token=token)


def test_a_connection_that_nobody_takes_is_ended_and_its_consent_given_back(session, customer, now, caller, told):
    environment = caller.environment
    made = session()
    customer(made).link()
    token = now(made)["public_token"]
    with use_environment(environment):
        LinkSession.objects.update(public_token_expires_at=clock.wall() - timedelta(seconds=1))
    with use_environment(environment), pytest.raises(link_tokens.errors.PublicTokenInvalid):
        link_tokens.exchange(caller, public_token=token)
    assert tasks.discard_unexchanged(str(environment.id)) == 1
    assert tasks.discard_unexchanged(str(environment.id)) == 0
    with use_environment(environment):
        (connection,) = Connection.objects.all()
    assert (connection.status, connection.sync_due_at is not None) == ("removed", True)
    assert now(made)["public_token"] is None
    assert told() == ["link_session.completed"], "what was never seen is not spoken of"


@pytest.mark.django_db(transaction=True)
def test_ticks_find_the_environments_that_have_work(session, customer, environment, monkeypatch):
    queued = []
    for task in (tasks.expire_links, tasks.give_back_links, tasks.discard_unexchanged):
        monkeypatch.setattr(task, "delay", lambda identifier, name=task.name: queued.append((name, identifier)))
    ticks = (tasks.find_overdue_links, tasks.find_links_to_give_back, tasks.find_unexchanged_tokens)
    customer(session()).agree()
    customer(session()).link()
    assert ([tick() for tick in ticks], queued) == ([0, 0, 0], [])
    with use_environment(environment):
        LinkSession.objects.update(
            expires_at=clock.wall() - timedelta(seconds=1), public_token_expires_at=clock.wall() - timedelta(seconds=1)
        )
    assert [tick() for tick in ticks] == [1, 0, 1]
    tasks.expire_links(str(environment.id))
    assert [tick() for tick in ticks] == [0, 1, 1]
    assert {identifier for _, identifier in queued} == {str(environment.id)}


def test_what_time_does_to_sessions_and_tokens_is_known_to_test_clocks(session, customer, caller):
    made = session()
    with use_environment(caller.environment):
        assert clock.unix(link_sessions.next_due_at(caller, None, clock.wall())) == made["expires_at"]
        assert link_tokens.next_due_at(caller, None, clock.wall()) is None
    customer(made).link()
    with use_environment(caller.environment):
        assert link_sessions.next_due_at(caller, None, clock.wall()) is None
        assert link_tokens.next_due_at(caller, None, clock.wall()) is not None


def test_the_state_says_nothing_of_the_secret(session, customer, bank, environment):
    made = session()
    visitor = customer(made)
    visitor.agree()
    state = visitor.way_back().rpartition(".")[2]
    assert state not in made["url"]
    assert link_sessions.state_of(visitor.path.rpartition(".")[2]) == state
