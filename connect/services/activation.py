"""Opening live mode: the organization says who it is, and gets its live environment.

The schema is made by the worker, as that of a test environment is (`environments.provision`); until then it is pending.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from connect.domain import activation as rules
from connect.domain.memberships import MemberOutOfReach
from connect.domain.permissions import Role, allows
from connect.kit import clock, ids
from connect.kit.caller import Caller
from connect.models import Environment, Organization
from connect.selectors import memberships as membership_selectors
from connect.services import audit, environments, memberships, notices, organizations
from connect.services.notices import Letter
from connect.services.organizations import Details


def activate(caller: Caller, *, details: Details) -> None:
    """Keep what the organization says about itself and ask for its live environment. Its owners are told by mail.

    Raises `LiveAlreadyOpen`, `MemberOutOfReach`, and `ParameterInvalid` or `ParameterMissing` naming the detail.
    """
    checked = organizations.checked_details(details, complete=True)
    with transaction.atomic():
        team = memberships.locked(caller)
        if not allows(team.actor.role, "live:activate"):
            raise MemberOutOfReach
        row = team.organization
        if Environment.objects.filter(organization=row, kind=Environment.Kind.LIVE).exists():
            raise rules.LiveAlreadyOpen
        environment = environments.request(organization_id=row.id, kind=Environment.Kind.LIVE)
        row.activated_at = clock.wall()
        organizations.keep_details(row, checked, "activated_at")
        audit.record_for_organization(
            row.id,
            actor=caller.actor,
            action="live.activated",
            target=ids.encode("env", environment.id),
            environment_id=environment.id,
            legal_name=row.legal_name,
            country=row.country,
            registration_number=row.registration_number,
        )
    owners = membership_selectors.recipients(row.id, {Role.OWNER})
    notices.tell(owners, partial(_letter, row, caller.actor.label))


def _letter(row: Organization, who: str) -> Letter:
    words = {
        "organization": row.name,
        "who": who,
        "legal_name": row.legal_name,
        "registration_number": row.registration_number,
        "url": notices.address(f"/o/{row.slug}/test/activation"),
    }
    text = _(
        "%(who)s opened live mode of %(organization)s, for %(legal_name)s (%(registration_number)s).\n\n"
        "From now on the organization has a live environment beside its test environment, with keys and data of its"
        " own. What it can do, and what each payment method still needs, stands here:\n%(url)s\n\n"
        "If nobody should have done this, revoke the live keys and write to us.\n"
    )
    return Letter(_("Live mode of %(organization)s was opened") % words, text % words)
