"""The browser of an interaction: the secret of its number, and what pages on the way must know."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Response, g, request, session

from ...accounts.sessions.sessions import SignInContext, current_sign_in
from ...crypto.sealing import current_sealing, digest, random_token
from ...delegation.catalogue import catalogue_services
from ...http import bindings
from ...http.web import now, see_other
from ...i18n import ASKED_LANGUAGE
from .. import words
from ..authorization import interaction_services, next_step_services
from ..authorization.domain.interactions import WAY_BACK_LIFE, must_log_in
from ..authorization.domain.requests import AuthorizationRequest
from ..authorization.interaction_services import Interaction
from ..claims.domain import assurance_levels
from ..clients import client_services
from ..clients.domain.clients import RelyingParty
from ..domain import uris

_CAME_FROM = "oidc_came_from"  # an interaction that cannot go on yet, and its client
_ELSEWHERE = ("/home", "/agencies", "/people", "/roster", "/enrol", "/account")
_KIND = bindings.BindingKind("interaction", WAY_BACK_LIFE, most=8)
_SIGN_IN_PAGES = ("/sign-in", "/sign-in/passkey")
_ON_THE_WAY = (
    *("/sign-in", "/activate", "/recover", "/freeze", "/unfreeze", "/confirm"),
    "/interaction/",
    "/authorize",
)


@dataclass(frozen=True, slots=True)
class AgencyLink:
    """The agency that a person came from, and where they go on to it."""

    agency: str
    href: str


def digest_of(interaction_id: str | None) -> str | None:
    """Return the digest of the secret that this browser has for an interaction, if it has one."""
    secret = bindings.secret(_KIND, interaction_id)
    return digest(secret) if secret else None


def speak(language: str | None) -> None:
    """Answer this request in *language*, unless the person has chosen one here."""
    setattr(g, ASKED_LANGUAGE, language)


def go_on_speaking(language: str | None) -> None:
    """Answer the pages that follow in *language* too, until an agency asks for another."""
    speak(language)
    if language is not None:
        session[ASKED_LANGUAGE] = language


def begin(request: AuthorizationRequest) -> Interaction:
    """Keep *request* as an interaction of this browser."""
    secret = random_token()
    interaction = interaction_services.begin(request, browser_digest=digest(secret), now=now())
    bindings.bind(_KIND, secret, interaction.id)
    return interaction


def take(interaction_id: str) -> None:
    """Make an interaction that waits for a browser one of this browser; the first to come has it."""
    secret = random_token()
    if interaction_services.bind(interaction_id, browser_digest=digest(secret), now=now()):
        bindings.bind(_KIND, secret, interaction_id)


def code_of(interaction_id: str) -> str | None:
    """Return the one code that an interaction of this browser can give; None for one that never needed a page.

    It follows from the browser's secret and a key of ours: an answer that is sent again has the same one.
    """
    secret = bindings.secret(_KIND, interaction_id)
    return current_sealing().derived_token(secret, f"code:{interaction_id}") if secret else None


def keep_language(interaction: Interaction) -> None:
    """Keep the language that the agency asked for; one that the person chose comes before it."""
    go_on_speaking(interaction.request.ui_language)


def lead_on(interaction: Interaction) -> None:
    """Remember an interaction whose person first has something to do elsewhere: the pages there lead back to it."""
    session[_CAME_FROM] = [interaction.id, interaction.request.client_id]


def forget(interaction: Interaction) -> None:
    """Remember no longer an interaction that is over: nothing leads back to it."""
    if (session.get(_CAME_FROM) or [None])[0] == interaction.id:
        session.pop(_CAME_FROM)


def show_way_back() -> None:
    """On the pages where people mend what was missing, lead back to the agency that sent them.

    The interaction goes on; when it is too old, the agency begins another at the address it registered for that (OIDC Core §4).
    """
    if request.method != "GET" or not request.path.startswith(_ELSEWHERE):
        return
    _note_origin()
    if _CAME_FROM not in session:
        return
    number, client_id = session[_CAME_FROM]
    client, interaction = client_services.find(client_id), find(number)
    if client is None:
        return
    href = resume_path(interaction) if interaction else client_services.login_start(client_id)
    if href is not None:
        g.way_back = AgencyLink(agency_name(client), href)


def _note_origin() -> None:
    """Remember the agency whose own page links here with its ``client_id``, before any sign-in.

    Only an agency that an operator gave an address to begin a sign-in at counts: the way back never leads to one that the
    link itself names. A sign-in that waits keeps its place.
    """
    client_id = request.args.get("client_id", "")
    if client_id and _CAME_FROM not in session and client_services.login_start(client_id[:255]) is not None:
        session[_CAME_FROM] = ["", client_id]


def find(interaction_id: str | None) -> Interaction | None:
    """Return an open interaction of this browser."""
    return interaction_services.find(interaction_id, browser_digest=digest_of(interaction_id), now=now())


def resume_path(interaction: Interaction) -> str:
    """Return the one address that every page of an interaction goes back to."""
    return bindings.resume_path(interaction.id)


def page_path(page: str, interaction: Interaction) -> str:
    """Return the address of a page of an interaction."""
    return f"/interaction/{page}?{urlencode({'interaction': interaction.id})}"


def agency_name(client: RelyingParty) -> str:
    """Return the name of the client's agency in the person's language."""
    return words.spoken(catalogue_services.agency(client.agency_id).name)


def allow_answer(interaction: Interaction, client: RelyingParty) -> None:
    """Let the forms of this page lead to the client: browsers test every hop of the redirects that follow (interface.md §6)."""
    g.form_action_origins = (uris.origin(interaction.request.redirect_uri), *client.further_origins)


def show_pending_interaction() -> Response | None:
    """On the pages that lead back to an agency, name it and let their forms end there.

    A sign-in for an interaction that is over would be for nothing: its page gives way to the one that says so.
    """
    number = bindings.current_interaction()
    if number is None or not request.path.startswith(_ON_THE_WAY):
        return None
    interaction = find(number)
    client = client_services.find(interaction.request.client_id) if interaction else None
    if interaction is None or client is None:
        is_for_nothing = request.method == "GET" and request.path in _SIGN_IN_PAGES
        return see_other(bindings.resume_path(number)) if is_for_nothing else None
    allow_answer(interaction, client)
    if interaction.request.ui_language:
        speak(interaction.request.ui_language)  # of this interaction, whatever another tab asked since
    asks_again = request.path.startswith("/sign-in") and _asks_again(interaction, client)
    level = assurance_levels.demanded(interaction.request.claims.essential_acr())
    g.sign_in_context = SignInContext(agency_name(client), page_path("cancel", interaction), asks_again, level)
    return None


def _asks_again(interaction: Interaction, client: RelyingParty) -> bool:
    """Return whether the agency requires a person who is signed in to show that it is they; not when it names another person."""
    sign_in = current_sign_in()
    if sign_in is None:
        return False
    known = next_step_services.situation(interaction, client, sign_in, now=now())
    return must_log_in(known) and known.is_hinted_person is not False
