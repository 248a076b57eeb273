"""Search by the official SDK."""

from __future__ import annotations

import pytest
import stripe


@pytest.mark.sdk("customers.search")
def test_customers_are_found(v1):
    made = [
        v1.customers.create({"email": f"ana{n}@search.example", "name": "Ana", "metadata": {"row": str(n % 2)}}).id
        for n in range(5)
    ]
    found = v1.customers.search({"query": "email~'search.example'", "limit": 2, "expand": ["total_count"]})
    assert isinstance(found, stripe.SearchResultObject)
    assert (len(found.data), found.has_more, found["total_count"]) == (2, True, 5)
    assert isinstance(found.data[0], stripe.Customer)
    assert [customer.id for customer in found.auto_paging_iter()] == made[::-1]
    second = found.next_search_result_page()
    assert [customer.id for customer in second.data] == made[2:0:-1]
    assert second.next_search_result_page().next_page is None
    odd = "email~'search.example' AND metadata['row']:'1' AND -name:'Beti'"
    assert [customer.id for customer in v1.customers.search({"query": odd})] == [made[3], made[1]]
    either = "email:'ANA0@search.example' OR email:'ana4@search.example'"
    assert [customer.id for customer in v1.customers.search({"query": either})] == [made[4], made[0]]
    v1.customers.delete(made[0])
    assert v1.customers.search({"query": "email:'ana0@search.example'"}).data == []
    for query, told in (
        ("mail:'ana'", "'mail' is not a field that can be searched here"),
        ("email:'a' OR name:'b' AND name:'c'", "it mixes AND and OR"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            v1.customers.search({"query": query})
        assert (refused.value.code, refused.value.param) == ("search_query_invalid", "query")
        assert told in refused.value.user_message


@pytest.mark.sdk("payment_intents.search")
def test_payment_intents_are_found(v1):
    customer = v1.customers.create({"name": "Ana"}).id
    payment = {"currency": "mkd", "customer": customer, "payment_method": "pm_card_visa", "confirm": True}
    made = [
        v1.payment_intents.create({**payment, "amount": amount, "metadata": {"order": str(amount)}}).id
        for amount in (3100, 3200, 3300)
    ]
    mine = f"customer:'{customer}'"
    query = f"{mine} AND status:'succeeded' AND currency:'mkd' AND amount>3100"
    found = v1.payment_intents.search({"query": query, "limit": 1, "expand": ["data.latest_charge"]})
    assert [intent.id for intent in found.auto_paging_iter()] == made[:0:-1]
    assert isinstance(found.data[0].latest_charge, stripe.Charge)
    (one,) = v1.payment_intents.search({"query": "metadata['order']:'3200'"}).data
    assert (one.id, one.amount) == (made[1], 3200)
    since = f"{mine} created>={one.created} -metadata['order']:'3300'"
    assert made[1] in [intent.id for intent in v1.payment_intents.search({"query": since})]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        v1.payment_intents.search({"query": "status:'paid'"})
    assert "It is one of requires_payment_method" in refused.value.user_message


def test_the_module_style_does_the_same(module):
    made = [module.Customer.create(email=f"m{n}@module.example").id for n in range(3)]
    found = module.Customer.search(query="email~'module.example'", limit=1)
    assert [customer.id for customer in found.auto_paging_iter()] == made[::-1]
    intent = module.PaymentIntent.create(amount=2500, currency="eur", metadata={"style": "module"})
    assert module.PaymentIntent.search(query="metadata['style']:'module'").data[0].id == intent.id
