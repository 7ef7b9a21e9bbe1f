"""What comes next for a person whom an agency sent here: one pure function over what is known. Pages never decide.

Pages save their answer and return to ``/authorize?interaction=…``; they never lead to one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ...claims.domain import assurance_levels
from .requests import OFFLINE, AuthorizationRequest

LIFE = timedelta(minutes=30)  # a person may have to find their telephone, or call their PES
WAY_BACK_LIFE = timedelta(days=1)  # a browser restored the next morning still leads back to the agency
UNBOUND_LIFE = timedelta(seconds=60)  # decisions.md §24


MUST_BE_ASKED = ("interaction_required", "a page must be shown to the person")
"""The one answer to ``prompt=none`` once the person is known (OIDC Core §3.1.2.6).

A code of its own for each cause (no consent, a choice to make, no right, a block missing) would tell a client about a person who
never agreed to be known to it.
"""


class InteractionStep(StrEnum):
    """What happens now."""

    LOG_IN = "log_in"
    EXPLAIN = "explain"  # no right for any enterprise, or not for the one named: a page says so
    CHOOSE_ENTERPRISE = "choose_enterprise"
    ASK_FOR_BLOCK = "ask_for_block"  # the agency cannot go on without a block that the person does not hold
    CONSENT = "consent"
    ISSUE = "issue"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class EnterpriseOffer:
    """An enterprise the person may act for."""

    enterprise_id: str
    neq: str


@dataclass(frozen=True, slots=True)
class Situation:
    """All that decides the next step.

    ``is_hinted_person`` is None without a hint; ``consented`` holds the enterprises for which an earlier consent covers this
    request; ``chosen`` and ``consent_given`` are answers given in this interaction; ``missing`` are the blocks that the agency
    needs and that the person lacks for the enterprise chosen; ``reachable`` is the level that this person can show.
    """

    request: AuthorizationRequest
    started_at: datetime
    now: datetime
    auth_time: datetime | None = None
    acr: str | None = None
    is_hinted_person: bool | None = None
    offers: tuple[EnterpriseOffer, ...] = ()
    consented: frozenset[str] = frozenset()
    chosen: str | None = None
    consent_given: bool = False
    missing: tuple[str, ...] = ()
    reachable: int = assurance_levels.REACHABLE


@dataclass(frozen=True, slots=True)
class Next:
    """The next step; with ``ISSUE`` and ``CONSENT`` for which enterprise, with ``REFUSE`` which error.

    ``scopes`` are those to grant with ``ISSUE``.
    """

    step: InteractionStep
    enterprise_id: str | None = None
    scopes: tuple[str, ...] = ()
    error: str = ""
    description: str = ""


def next_step(situation: Situation) -> Next:
    """Decide what comes next (OIDC Core §3.1.2.3, §3.1.2.4); a silent request hears one and the same whatever page is missing."""
    silent = "none" in situation.request.prompts
    demanded = assurance_levels.demanded(situation.request.claims.essential_acr())
    if demanded > assurance_levels.REACHABLE:
        return _refuse("access_denied", "the authentication asked for cannot be reached")
    if must_log_in(situation):
        return _refuse("login_required", "the person must sign in") if silent else Next(InteractionStep.LOG_IN)
    if assurance_levels.level(situation.acr) < demanded:  # they signed in again, and no more surely
        error = "login_required" if silent else "access_denied"
        return _refuse(error, "the authentication asked for was not reached")
    if situation.is_hinted_person is False:
        return _refuse("login_required", "another person is signed in")
    following = _signed_in_step(situation)
    return _refuse(*MUST_BE_ASKED) if silent and following.step is not InteractionStep.ISSUE else following


def _signed_in_step(situation: Situation) -> Next:
    """Decide what comes next for a person who has shown who they are."""
    if not situation.offers or (situation.request.named_enterprise and not _named(situation)):
        return Next(InteractionStep.EXPLAIN)
    enterprise_id = chosen_enterprise(situation)
    if enterprise_id is None:
        return Next(InteractionStep.CHOOSE_ENTERPRISE)
    if situation.missing:
        return Next(InteractionStep.ASK_FOR_BLOCK, enterprise_id)
    if must_consent(situation, enterprise_id):
        return Next(InteractionStep.CONSENT, enterprise_id)
    return Next(InteractionStep.ISSUE, enterprise_id, granted_scopes(situation))


def must_log_in(situation: Situation) -> bool:
    """Return whether the person must show who they are, now.

    Signing in after the interaction began meets ``prompt=login``, ``max_age`` and a hint alike: replaying the address
    neither loops nor skips.
    """
    if situation.auth_time is None:
        return True
    if situation.auth_time >= situation.started_at:
        return False
    age = situation.request.max_age
    told = situation.auth_time.replace(microsecond=0)  # as the agency will read it, and check it by its own clock
    too_old = age is not None and (age == 0 or situation.now - told > timedelta(seconds=age))
    asked_again = "login" in situation.request.prompts or too_old or situation.is_hinted_person is False
    return asked_again or must_step_up(situation)


def must_step_up(situation: Situation) -> bool:
    """Return whether the sign-in is less sure than what is essential or, when a page may be shown, than what is wished."""
    request = situation.request
    demanded = assurance_levels.demanded(request.claims.essential_acr())
    wished = assurance_levels.wished((*request.claims.voluntary_acr(), *request.acr_values))
    wish = 0 if "none" in request.prompts else min(wished, situation.reachable)  # asking in vain helps nobody
    return assurance_levels.level(situation.acr) < max(demanded, wish)


def chosen_enterprise(situation: Situation) -> str | None:
    """Return the enterprise to act for: named by the request, chosen here, or the only one."""
    if situation.request.named_enterprise:
        return _named(situation)
    offered = {offer.enterprise_id for offer in situation.offers}
    if situation.chosen in offered:
        return situation.chosen
    if len(offered) == 1 and "select_account" not in situation.request.prompts:
        return situation.offers[0].enterprise_id
    return None


def must_consent(situation: Situation, enterprise_id: str) -> bool:
    """Return whether the person must be asked: only a widening asks again (decisions.md §19), or ``prompt=consent``."""
    if situation.consent_given:
        return False
    return "consent" in situation.request.prompts or enterprise_id not in situation.consented


def granted_scopes(situation: Situation) -> tuple[str, ...]:
    """Return what is granted: offline access only by a consent given just now, and never an error without (OIDC Core §11)."""
    asked = situation.request.scopes
    return asked if situation.consent_given else tuple(name for name in asked if name != OFFLINE)


def _named(situation: Situation) -> str | None:
    neq = situation.request.named_enterprise
    return next((offer.enterprise_id for offer in situation.offers if offer.neq == neq), None)


def _refuse(error: str, description: str) -> Next:
    return Next(InteractionStep.REFUSE, error=error, description=description)
