"""The words of an explanation: each link of the chain as a title and a sentence, the missing one with who can mend it."""

from __future__ import annotations

from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...i18n import long_date
from .. import presenting
from .domain.explain import Explanation, Link, LinkKind, Missing

MISSING = {
    Missing.ENTERPRISE_SUSPENDED: _l("The enterprise is suspended: nobody acts for it. Call us to know why."),
    Missing.NOT_SUBSCRIBED: _l(
        "The enterprise has no active subscription to this agency. A person in charge of electronic services can subscribe it."
    ),
    Missing.UNKNOWN_BLOCK: _l("The agency does not offer this block, or no longer does."),
    Missing.BLOCK_NOT_SUBSCRIBED: _l(
        "The block is not part of the enterprise’s subscription. A person in charge of electronic services can add it."
    ),
    Missing.MEMBER_SUSPENDED: _l(
        "The person is suspended in this enterprise. A person in charge of electronic services can reactivate them."
    ),
    Missing.MEMBER_REMOVED: _l("The person no longer belongs to this enterprise."),
    Missing.NEVER_GRANTED: _l(
        "No access to this block was ever given. A person in charge of electronic services can give it."
    ),
    Missing.REVOKED: _l("The access was taken away. A person in charge of electronic services can give it again."),
    Missing.ENDED: _l("The access reached its end date. A person in charge of electronic services can renew it."),
    Missing.NOT_YET: _l("The access begins later."),
}


def chain(
    explanation: Explanation, enterprise_id: str, enterprise_name: str, agency_id: str
) -> tuple[dict[str, str], ...]:
    """Return the links as title and sentence, in order."""
    givers = presenting.names(enterprise_id, (link.grant.granted_by for link in explanation.links if link.grant))
    return tuple(
        {
            "when": _("Holds") if link.holds else _("Missing"),
            "title": _link_title(link, enterprise_name, agency_id, explanation.block),
            "text": _link_text(link, givers) if link.holds else _missing_text(link, givers),
        }
        for link in explanation.links
    )


def _link_title(link: Link, enterprise_name: str, agency_id: str, block: str) -> str:
    titles = {
        LinkKind.ENTERPRISE: enterprise_name,
        LinkKind.SUBSCRIPTION: _("Subscription to %(agency)s", agency=presenting.agency_name(agency_id)),
        LinkKind.BLOCK: _("Block %(code)s", code=block),
        LinkKind.MEMBERSHIP: str(presenting.ROLES[link.role]) if link.role else _("Role in the enterprise"),
        LinkKind.PES: _("All rights of the enterprise"),
        LinkKind.GRANT: _("Access given"),
    }
    return titles[link.kind]


def _link_text(link: Link, givers: dict[str, str]) -> str:
    if link.grant is not None:
        return _(
            "Given by %(giver)s on %(day)s, until %(end)s.",
            giver=givers[link.grant.granted_by],
            day=long_date(link.grant.granted_at),
            end=long_date(link.grant.not_after),
        )
    texts = {
        LinkKind.ENTERPRISE: _("The enterprise is active."),
        LinkKind.SUBSCRIPTION: _("The subscription is active."),
        LinkKind.BLOCK: _("The block is offered by the agency and part of the subscription."),
        LinkKind.MEMBERSHIP: _("The person is active in the enterprise."),
        LinkKind.PES: _("A person in charge of electronic services holds every block of the subscription."),
        LinkKind.GRANT: "",
    }
    return texts[link.kind]


def _missing_text(link: Link, givers: dict[str, str]) -> str:
    assert link.missing is not None  # noqa: S101 (only called for a link that does not hold)
    sentence = str(MISSING[link.missing])
    if link.grant is None:
        return sentence
    dates = _(
        "It was given by %(giver)s on %(day)s, until %(end)s.",
        giver=givers[link.grant.granted_by],
        day=long_date(link.grant.granted_at),
        end=long_date(link.grant.not_after),
    )
    return f"{sentence} {dates}"
