"""Addresses of the hosted pages. The token is `<environment short id>.<secret>`: whoever has it may pay, no more."""

from django.urls import path

from payments.pages import checkout

app_name = "checkout"

urlpatterns = [
    path("c/<str:token>", checkout.page, name="page"),
    path("c/<str:token>/return", checkout.back, name="return"),
]
