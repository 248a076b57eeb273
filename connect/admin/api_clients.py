"""Other companies' apps: who is behind them, and what staff decided. Secrets are hashed, and not shown either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from connect.admin import access, forms
from connect.admin.columns import NOTHING
from connect.admin.rows import RowAdmin
from connect.admin.sites import platform_site
from connect.kit import ids
from connect.kit.errors import DomainError
from connect.models import ApiClient
from connect.services import app_reviews


class StandingFilter(admin.SimpleListFilter):
    """What staff decided."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All three."""
        return [("unverified", "Not verified"), ("verified", "Verified"), ("suspended", "Suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        match self.value():
            case "suspended":
                return queryset.exclude(suspended_at=None)
            case "verified":
                return queryset.filter(suspended_at=None).exclude(verified_at=None)
            case "unverified":
                return queryset.filter(suspended_at=None, verified_at=None)
        return queryset


@admin.register(ApiClient, site=platform_site)
class ApiClientAdmin(RowAdmin):
    """One app, and the organization that registered it."""

    references = {"org": "organization_id"}
    exact = ("client_id",)
    title = "API clients"
    list_select_related = ("organization",)
    search_help_text = "Client id, part of the name, org_…"
    list_display = ("name", "client_id", "organization", "client_type", "standing", "consents_given", "created")
    list_filter = (StandingFilter, "client_type")
    actions_detail = ("verify", "withdraw", "suspend", "reinstate")
    fieldsets = (
        (None, {"fields": ("name", "description", "standing", "verified_at", "suspended_at")}),
        ("Who", {"fields": ("organization_link", "created_by", "homepage", "privacy_url", "terms_url")}),
        ("What", {"fields": (
            "client_id", "environment", "client_type", "authorization_grant_type", "redirect_uris", "scopes",
            "consents_given", "created", "updated",
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the hashes of secrets, and with how many consents are in force."""
        rows: QuerySet[Any] = super().get_queryset(request)
        in_force = Count("consents", filter=Q(consents__revoked_at=None))
        return rows.defer("client_secret", "previous_secret").annotate(consents_in_force=in_force)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By client id, or by part of the name."""
        term = search_term.strip()
        if not term:
            return queryset, False
        named, _ = super().get_search_results(request, queryset, term)
        return queryset.filter(Q(pk__in=named.values("pk")) | Q(name__icontains=term)), False

    @display(description="Standing", label={"verified": "success", "suspended": "danger", "not verified": "warning"})
    def standing(self, row: ApiClient) -> str:
        """What people who are asked to let it in are told."""
        if row.suspended_at is not None:
            return "suspended"
        return "verified" if row.verified_at is not None else "not verified"

    @display(description="Consents in force")
    def consents_given(self, row: Any) -> int:
        """How many members let it in now."""
        count: int = row.consents_in_force
        return count

    @display(description="Organization")
    def organization_link(self, row: ApiClient) -> SafeString | str:
        """Whose app it is."""
        if row.organization is None:
            return NOTHING
        url = reverse("admin:connect_organization_change", args=[ids.encode("org", row.organization.pk)])
        return format_html('<a class="text-link" href="{}">{}</a>', url, row.organization.name)

    # --- decisions: each has its own word, reason and entry in the log ---

    def has_review_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may decide about apps."""
        user: Any = request.user
        return bool(user.has_perm("connect.change_apiclient"))

    def has_verify_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where it is neither verified nor suspended."""
        return self._is(request, obj, verified_at=None, suspended_at=None)

    def has_withdraw_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where it is verified."""
        return self._is(request, obj, verified_at__isnull=False)

    def has_suspend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where it is not."""
        return self._is(request, obj, suspended_at=None)

    def has_reinstate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where it is suspended."""
        return self._is(request, obj, suspended_at__isnull=False)

    def _is(self, request: HttpRequest, obj: Any, **state: Any) -> bool:
        if not self.has_review_permission(request):
            return False
        return obj is None or self.is_now(obj, **state)

    @action(description="Verify", icon="verified", permissions=["verify"])
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Vouch for it."""
        return self._decide(
            request, object_id, app_reviews.verify, title="Verify {}", button="Verify", done="{} is verified.",
            text="People who are asked to let the app in see that we know who is behind it. Say what you checked: the"
            " company, its site and terms, that the redirect addresses are its own.",
        )  # fmt: skip

    @action(description="Withdraw verification", icon="unpublished", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Vouch for it no longer."""
        return self._decide(
            request, object_id, app_reviews.withdraw_verification, title="Withdraw the verification of {}",
            button="Withdraw", done="{} is not verified any more.", danger=True,
            text="It goes on working; people who are asked to let it in see that nobody vouches for it.",
        )  # fmt: skip

    @action(description="Suspend", icon="block", permissions=["suspend"])
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop it."""
        return self._decide(
            request, object_id, app_reviews.suspend, title="Suspend {}", button="Suspend", danger=True,
            done="{} is suspended.",
            text="Every call it makes is refused within seconds, in all organizations that let it in. Consents and"
            " tokens are kept, so that reinstating it brings everything back.",
        )  # fmt: skip

    @action(description="Reinstate", icon="undo", permissions=["reinstate"])
    def reinstate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let it work again."""
        return self._decide(
            request, object_id, app_reviews.reinstate, title="Reinstate {}", button="Reinstate",
            done="{} works again.", text="All consents and tokens that have not ended meanwhile hold again.",
        )  # fmt: skip

    def _decide(
        self,
        request: HttpRequest,
        object_id: str,
        decide: Callable[..., None],
        *,
        title: str,
        text: str,
        button: str,
        done: str,
        danger: bool = False,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        form = forms.ReasonForm(request.POST or None)
        back = reverse("admin:connect_apiclient_change", args=[row.pk])
        if form.is_valid():
            try:
                decide(client_id=row.client_id, actor=access.actor_of(request), reason=form.cleaned_data["reason"])
            except DomainError as error:
                forms.refuse(form, error)
            else:
                messages.success(request, done.format(row.name))
                return HttpResponseRedirect(back)
        return forms.ask(
            self, request, form, title=title.format(row.name), text=text, button=button, back=back, danger=danger
        )
