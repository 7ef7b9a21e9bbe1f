"""The decision to give a code, and its writing: one transaction, which keeps all that was decided on as it is.

What the page before had found may be gone by now. The order of locks: the client, the people of the enterprise, consents, the
person and their sign-in, what was asked; the person who takes one of these away takes them in the same order, and ends the grants
that rest on it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ...accounts import services as accounts
from ...accounts.sessions.domain.sign_ins import SignIn
from ...db import transaction
from ...delegation import services as delegation
from ..clients import client_services
from ..errors import OverError, UnprovenRequestError
from ..token import grant_services
from ..token.domain import narrowing
from . import interaction_services, next_step_services
from .domain import checks
from .domain.interactions import InteractionStep, Next
from .interaction_services import Interaction


def issue(
    interaction: Interaction, sign_in: SignIn, enterprise_id: str, *, code: str | None, now: datetime
) -> str | Next:
    """Return a code for *enterprise_id*, *code* or a new one; or, with nothing written, the step that has come before it.

    Raises:
        OverError: it was answered already.
        UnprovenRequestError: the client is gone, or could not ask this now.
    """
    with transaction():
        client = client_services.held(interaction.request.client_id)
        if client is None:
            raise UnprovenRequestError("unknown_client")
        checks.check_still_allowed(interaction.request, client)
        delegation.steady_roster(enterprise_id)
        answered = interaction_services.again(interaction, now=now)
        request = narrowing.request_for_client(answered.request, client)
        answered = replace(answered, request=request)
        following = next_step_services.following(answered, client, sign_in, now=now, hold=True)
        if not accounts.keep_signed_in(sign_in.person_id, sign_in.sid, now=now):
            following = next_step_services.following(answered, client, None, now=now)
        if following.step is not InteractionStep.ISSUE or following.enterprise_id != enterprise_id:
            return following
        granted = replace(answered, request=replace(request, scopes=following.scopes))
        issued = grant_services.issue_code(granted, client, sign_in, enterprise_id, code=code, now=now)
        if issued is None:
            raise OverError
        return issued
