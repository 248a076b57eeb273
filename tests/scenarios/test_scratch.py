from tests.scenarios import customer
from tests.scenarios.test_story_over_http import *
def test_scratch(product):
    app = product.acme
    connection = customer.link(product, app)
    print(app.get("/v1/banking/accounts"))
    try:
        paid = pay_by_bank(product, app)
        books_are_right(app, [paid])
    except BaseException:
        print(product.bank.log()); print(product.bank.state()["payments"]); print(app.get("/v1/payment_intents")["data"][:1]); print(product.stack.report()); raise
