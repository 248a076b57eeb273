"""What the bank's pages say, in English and in Macedonian."""

from __future__ import annotations

from django.http import HttpRequest

LANGUAGES = {"en": "English", "mk": "Македонски"}
ENGLISH = {
    "bank": "Sandbox Bank",
    "claim": "A bank for trying things out. No real money, no real people.",
    "login_title": "Log in",
    "login_why_consent": "{tpp} asks to see your accounts. Log in to decide.",
    "login_why_payment": "{tpp} asks you to confirm a payment. Log in to decide.",
    "user": "User name",
    "password": "Password",
    "login": "Log in",
    "login_hint": "For trying out: user_good with pass_good. Others: user_many, user_empty, user_locked, "
    "user_wrong_sca, user_password.",
    "login_wrong": "User name and password do not match. After five wrong tries the login is locked for 15 minutes.",
    "login_locked": "This login is locked. Try again later, or ask the bank.",
    "code_title": "Confirm that it is you",
    "code_why": "We have sent a one-time code to your phone.",
    "code_why_payment": "We have sent a one-time code to your phone. It is good only for paying {amount} to {payee}.",
    "code": "One-time code",
    "code_hint": "For trying out, the code is always 1234.",
    "code_wrong": "That is not the code. Tries left: {left}.",
    "go_on": "Continue",
    "agree_title": "Allow {tpp} to see your accounts?",
    "agree_until": "Until {until}. You can withdraw it at any time.",
    "agree_once": "Once, today.",
    "sees": "{tpp} will see:",
    "sees_accounts": "account numbers, names and owners",
    "sees_balances": "balances",
    "sees_transactions": "transactions",
    "choose": "Choose the accounts",
    "these": "These accounts",
    "choose_one": "Choose at least one account.",
    "no_accounts": "You have no account that this is about.",
    "agree": "Allow",
    "cancel": "Cancel",
    "pay_title": "Confirm the payment",
    "amount": "Amount",
    "payee": "To",
    "payee_account": "Account of the payee",
    "remittance": "Purpose",
    "asked_by": "Asked for by",
    "pay_from": "Pay from",
    "pay": "Pay {amount}",
    "no_funds": "not enough money",
    "no_payable": "You have no account in {currency} to pay from.",
    "password_title": "Change your password first",
    "password_why": "Your password has run out. Set a new one in the bank's own app, then come again.",
    "failed_title": "We could not confirm that it is you",
    "failed_why": "The one-time code was wrong five times. Nothing was allowed and nothing was paid.",
    "late_title": "This page has run out",
    "late_why": "It was good for ten minutes. Nothing was allowed and nothing was paid; begin again.",
    "done_title": "This is decided already",
    "done_why": "There is nothing left to do on this page.",
    "unknown_title": "There is no such page",
    "unknown_why": "The address is wrong, or the bank has been reset.",
    "back": "Back to {tpp}",
    "demo": "This bank is not real.",
}
MACEDONIAN = {
    "bank": "Sandbox Bank",
    "claim": "Банка за пробување. Без вистински пари и вистински луѓе.",
    "login_title": "Најава",
    "login_why_consent": "{tpp} бара да ги види вашите сметки. Најавете се за да одлучите.",
    "login_why_payment": "{tpp} бара да потврдите плаќање. Најавете се за да одлучите.",
    "user": "Корисничко име",
    "password": "Лозинка",
    "login": "Најави се",
    "login_hint": "За пробување: user_good со pass_good. Други: user_many, user_empty, user_locked, "
    "user_wrong_sca, user_password.",
    "login_wrong": "Името и лозинката не се совпаѓаат. По пет погрешни обиди најавата се заклучува за 15 минути.",
    "login_locked": "Оваа најава е заклучена. Обидете се подоцна или обратете се во банката.",
    "code_title": "Потврдете дека сте вие",
    "code_why": "Ви испративме еднократен код на телефон.",
    "code_why_payment": "Ви испративме еднократен код на телефон. Важи само за плаќање {amount} на {payee}.",
    "code": "Еднократен код",
    "code_hint": "За пробување кодот е секогаш 1234.",
    "code_wrong": "Тоа не е кодот. Преостанати обиди: {left}.",
    "go_on": "Продолжи",
    "agree_title": "Дозволувате ли {tpp} да ги види вашите сметки?",
    "agree_until": "До {until}. Можете да го повлечете во секое време.",
    "agree_once": "Еднаш, денес.",
    "sees": "{tpp} ќе гледа:",
    "sees_accounts": "броеви, имиња и сопственици на сметки",
    "sees_balances": "состојби",
    "sees_transactions": "трансакции",
    "choose": "Изберете сметки",
    "these": "Овие сметки",
    "choose_one": "Изберете барем една сметка.",
    "no_accounts": "Немате сметка на која се однесува ова.",
    "agree": "Дозволи",
    "cancel": "Откажи",
    "pay_title": "Потврдете го плаќањето",
    "amount": "Износ",
    "payee": "До",
    "payee_account": "Сметка на примачот",
    "remittance": "Цел на дознака",
    "asked_by": "Побарано од",
    "pay_from": "Плати од",
    "pay": "Плати {amount}",
    "no_funds": "нема доволно средства",
    "no_payable": "Немате сметка во {currency} од која може да се плати.",
    "password_title": "Прво сменете ја лозинката",
    "password_why": "Вашата лозинка истече. Поставете нова во апликацијата на банката, па дојдете повторно.",
    "failed_title": "Не можевме да потврдиме дека сте вие",
    "failed_why": "Кодот беше погрешен пет пати. Ништо не е дозволено и ништо не е платено.",
    "late_title": "Оваа страница истече",
    "late_why": "Важеше десет минути. Ништо не е дозволено и ништо не е платено; почнете одново.",
    "done_title": "Ова е веќе одлучено",
    "done_why": "На оваа страница нема што да се направи.",
    "unknown_title": "Нема таква страница",
    "unknown_why": "Адресата е погрешна или банката е поставена одново.",
    "back": "Назад кон {tpp}",
    "demo": "Оваа банка не е вистинска.",
}
ALL = {"en": ENGLISH, "mk": MACEDONIAN}


def language(request: HttpRequest) -> str:
    """What the page was asked for in: by its address, else by the browser."""
    wanted = [request.GET.get("lang", "")]
    wanted += [part.strip()[:2].lower() for part in request.headers.get("Accept-Language", "").split(",")]
    return next((code for code in wanted if code in LANGUAGES), "en")


def of(code: str, **values: str) -> dict[str, str]:
    """All texts of a language, with names and amounts filled in where they are known."""
    filled = dict(ALL[code])
    for name, text in filled.items():
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        filled[name] = text
    return filled
