"""The forms of the webhook pages: shape and wording only, the rules are the services'."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from connect.domain.webhook_endpoints import EVERY_EVENT, URL_LENGTH_MAX
from connect.kit import event_types
from connect.shapes.webhook_endpoints import WebhookEndpointOut
from dashboard.pages.actions import ActionForm

DAY_SECONDS: Final = 24 * 3600
REPLAY_DEFAULT: Final = timedelta(days=1)


class EndpointForm(ActionForm):
    """Where to send what."""

    url = forms.CharField(
        max_length=URL_LENGTH_MAX,
        label=_("Address"),
        widget=forms.URLInput(attrs={"placeholder": "https://shop.example.com/webhooks", "spellcheck": "false"}),
        help_text=_("It has to answer a POST with 2xx within 15 seconds."),
    )
    description = forms.CharField(max_length=1000, required=False, label=_("Description"))
    which = forms.ChoiceField(
        label=_("Events"),
        choices=[("all", _("All events, also those to come")), ("chosen", _("Only what I choose"))],
        widget=forms.RadioSelect,
        initial="all",
    )
    enabled_events = forms.MultipleChoiceField(
        label=_("Chosen events"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["enabled_events"]
        field.choices = [(each.name, each.name) for each in event_types.every()]

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """The checkboxes by the object they are about."""

        def about(box: Any) -> str:
            return str(box.data["value"]).rpartition(".")[0]

        boxes = sorted(self["enabled_events"], key=about)  # by name alone `charge.refund.updated` parts the charge's
        return [(name, list(group)) for name, group in groupby(boxes, key=about)]

    def clean(self) -> dict[str, Any]:
        """An endpoint that wants nothing would get nothing."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("which") == "chosen" and not cleaned.get("enabled_events"):
            self.add_error("enabled_events", gettext("Choose at least one event, or all of them."))
        return cleaned

    def refuse(self, error: Any) -> None:
        """A refusal names one of several events: `enabled_events[3]`."""
        error.param = (error.param or "").partition("[")[0]
        super().refuse(error)

    def given(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        wanted = [EVERY_EVENT] if data["which"] == "all" else data["enabled_events"]
        return {"url": data["url"], "description": data["description"] or None, "enabled_events": wanted}


class RotateForm(ActionForm):
    """How long the old secret goes on signing beside the new one."""

    overlap = forms.TypedChoiceField(
        label=_("The old secret signs for"),
        coerce=int,
        choices=[
            (0, _("Not at all: it ends now")),
            (3600, _("1 more hour")),
            (8 * 3600, _("8 more hours")),
            (DAY_SECONDS, _("1 more day")),
        ],
        initial=DAY_SECONDS,
        help_text=_("Meanwhile every request carries a signature by each, so nothing is refused while you deploy."),
    )


class ConfirmForm(ActionForm):
    """Nothing to fill in: the page says what will happen."""


class TestForm(ActionForm):
    """Which kind of event to make up."""

    type = forms.ChoiceField(label=_("Event"))

    def __init__(self, *args: Any, wanted: Iterable[str], **options: Any) -> None:
        super().__init__(*args, **options)
        names = [each.name for each in event_types.every()]
        first = [name for name in names if name in set(wanted)]
        field: Any = self.fields["type"]
        field.choices = [(name, name) for name in [*first, *(name for name in names if name not in first)]]


class ReplayForm(ActionForm):
    """From when to when, and what of it. Times are read in the zone of the page, which is the person's."""

    FIELDS_OF = {"only_failed": "scope"}

    since = forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    until = forms.DateTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty means until now."),
    )
    scope = forms.ChoiceField(
        label=_("What"),
        choices=[
            ("failed", _("Only what the endpoint has not confirmed")),
            ("all", _("Everything, also what it has confirmed")),
        ],
        widget=forms.RadioSelect,
        initial="failed",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        zone = {"zone": timezone.get_current_timezone_name()}
        self.fields["since"].label = gettext("From (%(zone)s)") % zone
        self.fields["until"].label = gettext("Until (%(zone)s)") % zone

    def given(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        return {"since": data["since"], "until": data["until"], "only_failed": data["scope"] == "failed"}


class ResendForm(ActionForm):
    """Which endpoint gets it."""

    FIELDS_OF = {"webhook_endpoint": "endpoint"}

    endpoint = forms.ChoiceField(label=_("Endpoint"))

    def __init__(self, *args: Any, endpoints: Iterable[WebhookEndpointOut], **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["endpoint"]
        field.choices = [(each.id, each.url) for each in endpoints]
