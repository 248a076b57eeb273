"""Addresses of the hosted pages of banks. A token is all the authority there is, and it opens one thing."""

from django.urls import path

from banks.pages import consents, link

app_name = "link"

urlpatterns = [
    path("link/<str:token>", link.page, name="page"),
    path("link/back/<str:token>", link.back, name="back"),
    path("link/refused/<str:token>", link.refused, name="refused"),
    path("consents/<str:token>", consents.page, name="consents"),
]
