"""Addresses of the hosted pages. The token is `<environment short id>.<secret>`: whoever has it may pay, no more."""

from django.urls import path

from banks.pages import pay

app_name = "banks"

urlpatterns = [
    path("pay/<str:token>", pay.page, name="pay"),
    path("pay/back/<str:token>", pay.back, name="pay_back"),
    path("pay/refused/<str:token>", pay.refused, name="pay_refused"),
]
