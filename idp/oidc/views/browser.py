"""The browser of an interaction: its own token in the page session, and what pages on the way must know."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

from flask import g, request, session

from ...accounts.sessions import SignInContext, current_sign_in
from ...delegation import catalogue_services
from ...sealing import digest, random_token
from ...web import now
from .. import interaction_services, situations, uris, words
from ..claims import assurance_levels
from ..interaction_services import Interaction
from ..interactions import must_log_in
from ..parties import client_services
from ..parties.clients import RelyingParty

_BROWSER = "oidc_browser"
_PENDING = "oidc_interaction"
OF_THE_REQUEST = (_BROWSER, _PENDING)  # whoever signs in goes on with it: it is the agency's, and nobody's yet
_ON_THE_WAY = ("/sign-in", "/activate", "/interaction/", "/authorize")


def browser_digest(*, create: bool = False) -> str | None:
    """Return the digest of this browser's token; *create* gives it one."""
    token = session.get(_BROWSER)
    if not isinstance(token, str):
        if not create:
            return None
        token = session[_BROWSER] = random_token()
    return digest(token)


def speak(language: str | None) -> None:
    """Answer this request in *language*, unless the person has chosen one here."""
    if language is not None and "lang" not in session:
        g.preferred_language = language


def remember(interaction: Interaction) -> None:
    """Make *interaction* the one that pages without its number are about."""
    session[_PENDING] = interaction.id
    if interaction.request.ui_language and "lang" not in session:
        session["lang"] = interaction.request.ui_language


def find(interaction_id: str | None) -> Interaction | None:
    """Return an open interaction of this browser."""
    return interaction_services.find(interaction_id, browser_digest=browser_digest(), now=now())


def resume_path(interaction: Interaction) -> str:
    """Return the one address that every page of an interaction goes back to."""
    return f"/authorize?{urlencode({'interaction': interaction.id})}"


def page_path(page: str, interaction: Interaction) -> str:
    """Return the address of a page of an interaction."""
    return f"/interaction/{page}?{urlencode({'interaction': interaction.id})}"


def agency_name(client: RelyingParty) -> str:
    """Return the name of the client's agency in the person's language."""
    return words.spoken(catalogue_services.agency(client.agency_id).name)


def allow_answer(interaction: Interaction, client: RelyingParty) -> None:
    """Let the forms of this page lead to the client: browsers test every hop of the redirects that follow (ui §6)."""
    g.form_action_origins = (uris.origin(interaction.request.redirect_uri), *client.further_origins)


def show_pending_interaction() -> None:
    """On the pages that lead back to an agency, name it and let their forms end there."""
    if not request.path.startswith(_ON_THE_WAY) or _BROWSER not in session:
        return
    interaction = find(_named_in_address() or session.get(_PENDING))
    client = client_services.find(interaction.request.client_id) if interaction else None
    if interaction is None or client is None:
        return
    allow_answer(interaction, client)
    asks_again = request.path.startswith("/sign-in") and _asks_again(interaction, client)
    level = assurance_levels.demanded(interaction.request.claims.essential_acr())
    g.sign_in_context = SignInContext(agency_name(client), page_path("cancel", interaction), asks_again, level)


def _asks_again(interaction: Interaction, client: RelyingParty) -> bool:
    """Tell whether the agency wants whoever is signed in to show that it is they; not when it names somebody else."""
    sign_in = current_sign_in()
    if sign_in is None:
        return False
    known = situations.situation(interaction, client, sign_in, now=now())
    return must_log_in(known) and known.is_hinted_person is not False


def _named_in_address() -> str | None:
    named = request.args.get("interaction")
    if named is None and "next" in request.args:
        named = parse_qs(urlsplit(request.args["next"]).query).get("interaction", [None])[0]
    return named
