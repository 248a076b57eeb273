"""The control as a page, for people."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path  # noqa: F401

from sandbox_bank.control import commands


def show(request: HttpRequest, error: str = "") -> HttpResponse:
    """Everything there is, with what can be done to it."""
    calls = commands.log()["calls"][-50:][::-1]
    return render(request, "sandbox_bank/control.html", {**commands.state(), "calls": calls, "error": error})


def do(request: HttpRequest) -> HttpResponse:
    """One form of the page."""
    return HttpResponseRedirect("/control/")
