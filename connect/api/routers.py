"""Routes as Stripe's SDKs call them: no trailing slash, and an update is a POST to the object's own address."""

from __future__ import annotations

from rest_framework.routers import DynamicRoute, Route, SimpleRouter


class StripeRouter(SimpleRouter):
    """Like DRF's, with `POST /things/{id}` as the update."""

    routes = [
        Route(r"^{prefix}$", {"get": "list", "post": "create"}, "{basename}-list", detail=False, initkwargs={}),
        DynamicRoute(r"^{prefix}/{url_path}$", "{basename}-{url_name}", detail=False, initkwargs={}),
        Route(
            r"^{prefix}/{lookup}$",
            {"get": "retrieve", "post": "update", "delete": "destroy"},
            "{basename}-detail",
            detail=True,
            initkwargs={},
        ),
        DynamicRoute(r"^{prefix}/{lookup}/{url_path}$", "{basename}-{url_name}", detail=True, initkwargs={}),
    ]

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
