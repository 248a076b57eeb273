"""Mounting a set of addresses under a prefix, the way WSGI mounts a whole site.

Django's admin reverses its addresses by name alone, in code and in templates, and gives no way to add an argument such
as the environment to all of them. So the environment's pages have an URLconf of their own, and while a request is
answered their prefix is the script prefix: whatever is reversed meanwhile, by whatever code, stays in the environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf


@contextmanager
def mounted(prefix: str, urlconf: str | None) -> Iterator[None]:
    """Addresses of `urlconf` (None is the root) resolve and reverse below `prefix`, which ends in a slash."""
    before = get_script_prefix(), get_urlconf()
    set_script_prefix(prefix)
    set_urlconf(urlconf)
    try:
        yield
    finally:
        set_script_prefix(before[0])
        set_urlconf(before[1])


@contextmanager
def unmounted(request: HttpRequest) -> Iterator[None]:
    """The product's own addresses again, for links that lead out of an environment's pages."""
    with mounted(f"{request.META.get('SCRIPT_NAME', '').rstrip('/')}/", None):
        yield
