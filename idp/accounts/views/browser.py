"""What the pages of accounts keep in the browser's page session, and how a completed sign-in reaches the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from flask import Flask, Response, abort, current_app, g, request, session

from ...crypto.sealing import digest, is_token
from ...http import bindings
from ...http.bindings import BindingKind
from ...http.web import now, see_other
from ...i18n import ASKED_LANGUAGE
from ..challenges import enrolment_link_services
from ..credentials.domain import factor_policy
from ..credentials.domain.passkeys import CEREMONY_LIFE
from ..recovery.domain import recovery_states
from ..sessions import cookies, session_services
from ..sessions.domain.sign_ins import CompletedSignIn, SignIn, device_words
from ..sessions.sessions import SignInContext, current_sign_in, unfinished_sign_in, weak_sign_in
from ..sign_in.domain import steps
from ..sign_in.domain.steps import LIVES

SIGN_IN = BindingKind("sign-in", LIVES[steps.FlowKind.SIGN_IN])
ACTIVATION = BindingKind("activation", LIVES[steps.FlowKind.ACTIVATION])
OPENING = BindingKind("opening", LIVES[steps.FlowKind.OPENING])
RECOVERY = BindingKind("recovery", recovery_states.LIFE)
OBJECTION = BindingKind("objection", timedelta(hours=1))
FREEZE = BindingKind("freeze", LIVES[steps.FlowKind.FREEZE])
THAW = BindingKind("thaw", LIVES[steps.FlowKind.THAW])
EMAIL_CHANGE = BindingKind("email-change", LIVES[steps.FlowKind.EMAIL_CHANGE])
PASSKEY = BindingKind("passkey", CEREMONY_LIFE)
_ALL = (SIGN_IN, ACTIVATION, OPENING, RECOVERY, OBJECTION, FREEZE, THAW, EMAIL_CHANGE, PASSKEY)
_NUMBERED = frozenset({"sign_in", "passkeys", "email_sign_in", "activation", "linking", "recovery", "freezing"})
_LINKED = "activation_linked"
_NEW_APPLICATION = "new_application"
_WHOSE = "whose"  # a digest of the person who signed in last in this browser
_FAREWELL = "mandat.farewell"
_FORGETTING = "mandat.forgetting_in_browser"
LINKING = "/activate/link"

Farewell = Callable[[str], str | None]


def held(name: str) -> str | None:
    """Return a secret that the page session keeps."""
    value = session.get(name)
    return value if isinstance(value, str) else None


def sign_in_token() -> str | None:
    """Return the secret of the sign-in that this page is about."""
    return bindings.current_secret(SIGN_IN)


def activation_token() -> str | None:
    """Return the secret of the activation that this page is about."""
    return bindings.current_secret(ACTIVATION)


def opening_token() -> str | None:
    """Return the secret of the link that was followed."""
    return bindings.current_secret(OPENING)


def recovery_token() -> str | None:
    """Return the secret of the recovery that this page is about."""
    return bindings.current_secret(RECOVERY)


def begin(kind: BindingKind, token: str, page: str, *, leads_to: str | None = None) -> str:
    """Keep the secret of what begins here, and return its own address of *page*.

    Its number is the one of the interaction that it is for, named by *leads_to* or by this request; else a new one.
    """
    for_agency = bindings.number_in(leads_to) if leads_to else bindings.current_number()
    return f"/~{bindings.bind(kind, token, for_agency)}{page}"


def hold_passkey(token: str) -> str:
    """Keep the secret that goes with the challenge on this page; return its number, which the form sends back."""
    return bindings.bind(PASSKEY, token)


def take_passkey() -> str | None:
    """Return the secret of the challenge whose number the form names, and forget it; of the last one when it names none."""
    number = request.form.get("ceremony") or bindings.newest(PASSKEY)
    token = bindings.secret(PASSKEY, number)
    bindings.release(PASSKEY, number)
    return token


def new_application_token() -> str | None:
    """Return the secret of the application being added."""
    return held(_NEW_APPLICATION)


def hold_new_application(token: str) -> None:
    """Keep the secret of the application being added."""
    session[_NEW_APPLICATION] = token


def drop_new_application() -> None:
    """Forget the application that was added."""
    session.pop(_NEW_APPLICATION, None)


def drop_activation() -> None:
    """Forget the activation that is done."""
    bindings.release_current(ACTIVATION)


def keep_opening(token: str) -> str:
    """Keep the secret of the link that was followed, so that it leaves the address bar; return where it goes on."""
    return begin(OPENING, token, "/activate/start") if is_token(token) else "/activate/start"


def hold_activation(token: str, next_path: str | None = None) -> str:
    """Spend *token* (of ``open_first_credential``); return the address at which this browser goes on."""
    following, linked = enrolment_link_services.enter_opening(token, next_path=next_path, now=now())
    bindings.release_current(OPENING)
    session.pop(_LINKED, None)
    if linked:
        session[_LINKED] = True
    return begin(ACTIVATION, following, "/activate/password") if following else "/activate/password"


def note_linked() -> None:
    """Remember that a user code was linked to an account that was there."""
    drop_activation()
    session[_LINKED] = True


def is_linked() -> bool:
    """Return whether a user code was linked in this browser."""
    return session.get(_LINKED) is True


def page_sent() -> str:
    """Return the number of the page whose form was sent: a double click sends the same one twice."""
    return request.form.get("page", "")[:32]


def sign_in_page() -> str:
    """Return the first page of the sign-in, for the agency that this page is on the way to."""
    interaction = bindings.current_interaction()
    return f"/sign-in?{urlencode({'next': bindings.resume_path(interaction)})}" if interaction else "/sign-in"


def shown_again() -> str | None:
    """Return where a form of these pages goes on that is too old: signing in, in another tab, makes every form so.

    Who is signed in meanwhile goes on to the agency; the others find the page again.
    """
    if request.blueprint not in _NUMBERED or request.endpoint == "sign_in.sign_out":
        return None
    interaction = bindings.current_interaction()
    if interaction is not None and current_sign_in() is not None:
        return bindings.resume_path(interaction)
    page = request.path
    while not current_app.url_map.bind("").test(page, "GET"):  # a button beside the form of the page above
        page = page.rpartition("/")[0]
    return bindings.own_address(page)


def device() -> str:
    """Return this browser in words."""
    return device_words(request.user_agent.string)


def enter(signed: CompletedSignIn) -> Response:
    """Give the browser its new cookie and go on; tokens of forms from before the sign-in die (security-bar.md S-36).

    After another person's sign-in that lapsed, nothing of theirs is left on the pages (S-42); what other tabs have begun for
    an agency stays. A person who must show a passkey and has none is led to where it is added; until then nothing else opens.
    """
    whose = digest(signed.sign_in.person_id)
    if session.get(_WHOSE) not in (None, whose):
        _forget_pages(but=bindings.number_in(signed.next_path))
    session[_WHOSE] = whose
    for name in (_LINKED, _NEW_APPLICATION):
        session.pop(name, None)
    bindings.release_current(SIGN_IN)
    # this sign-in may prove the account that an activation is to be linked to; of any other it finds nothing (S-42)
    linked = bindings.newest(ACTIVATION) if signed.next_path == LINKING else bindings.number_in(signed.next_path)
    bindings.release_all(ACTIVATION, OPENING, but=linked)
    new_form_tokens()
    cookies.hold(signed.token, signed.sign_in)
    if signed.falls_short:
        return see_other(f"/account/security/passkey?{urlencode({'next': signed.next_path})}")
    return see_other(signed.next_path)


def on_the_way() -> dict[str, str | bool | None]:
    """Return what the pages of a sign-in say of the agency that it is for."""
    context: SignInContext | None = g.get("sign_in_context")
    interaction = bindings.current_interaction()
    return {
        "agency_name": context.agency_name if context else None,
        "cancel_path": bindings.cancel_path(interaction) if interaction else None,
        "asks_again": context is not None and context.asks_again,
        "needs_passkey": context is not None and context.demanded_level >= factor_policy.PASSKEY,
    }


def former_sign_in() -> SignIn | None:
    """Return the sign-in of this browser that a new one renews or ends, whatever it opens."""
    return current_sign_in() or unfinished_sign_in() or weak_sign_in()


def renew(signed: CompletedSignIn) -> None:
    """Give the browser the new cookie of a sign-in made fresh; tokens of forms from before die with the old one."""
    new_form_tokens()
    cookies.hold(signed.token, signed.sign_in)


def set_farewell(app: Flask, farewell: Farewell) -> None:
    """Let another room show a page when a sign-in has ended: it is given the ``sid`` and may answer where that page is."""
    app.extensions[_FAREWELL] = farewell


def leave() -> str | None:
    """End the sign-in of this browser and forget what its pages kept, except the language.

    The next person on this browser finds nothing of this one (security-bar.md S-42). Return the address of the farewell page,
    when there is one to show.
    """
    sign_in = former_sign_in()
    if sign_in is not None:
        session_services.end_sign_in(sign_in.sid, now=now())
    cookies.drop()
    _forget_pages()
    farewell: Farewell | None = current_app.extensions.get(_FAREWELL)
    return farewell(sign_in.sid) if farewell and sign_in else None


def sign_in_to_link() -> Response:
    """End the sign-in of this browser, keep the activation under way, and ask for the account it shall be linked to."""
    number, token = bindings.number_of(ACTIVATION), activation_token()
    leave()
    if number is None or token is None:
        return see_other(f"/sign-in?{urlencode({'next': LINKING})}")
    bindings.bind(ACTIVATION, token, number)
    return see_other(f"/sign-in?{urlencode({'next': f'/~{number}{LINKING}'})}")


def on_forgetting(app: Flask, act: Callable[[], None]) -> None:
    """Have another room end what its entries in the page session open, when these are about to be forgotten."""
    app.extensions[_FORGETTING] = (*app.extensions.get(_FORGETTING, ()), act)


def _forget_pages(but: str | None = None) -> None:
    for act in current_app.extensions.get(_FORGETTING, ()):
        act()
    kept = {name: session[name] for name in ("lang", ASKED_LANGUAGE) if name in session}
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)
    bindings.release_all(*_ALL, but=but)


def new_form_tokens() -> None:
    """Make every form token handed out so far worthless."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def one_of_each() -> None:
    """Refuse a form that names a field twice: two readers could choose differently (security-bar.md S-55)."""
    if request.method == "POST" and any(len(values) > 1 for _, values in request.form.lists()):
        abort(400)
