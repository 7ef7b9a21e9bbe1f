"""What the pages of accounts keep in the browser's page session, and how a completed sign-in reaches the browser."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Flask, Response, abort, current_app, g, request, session

from ...sealing import digest, is_token
from ...web import now, see_other
from .. import cookies, services_openings, services_sessions, services_sign_in
from ..factor_policy import PASSKEY
from ..sessions import SignInContext, current_sign_in, unfinished_sign_in, weak_sign_in
from ..sign_ins import Signed, SignIn, device_words

_SIGN_IN = "sign_in"
_ACTIVATION = "activation"
_OPENING = "opening"
_LINKED = "activation_linked"
_PASSKEY = "passkey"
_NEW_APPLICATION = "new_application"
_WHOSE = "whose"  # a digest of whoever signed in last in this browser
_FAREWELL = "mandat.farewell"
_STAYING = "mandat.staying_in_browser"
_FORGETTING = "mandat.forgetting_in_browser"
LINKING = "/activate/link"

Farewell = Callable[[str], str | None]


def held(name: str) -> str | None:
    """Return a secret this browser goes on with."""
    value = session.get(name)
    return value if isinstance(value, str) else None


def sign_in_token() -> str | None:
    """Return the secret of the sign-in under way."""
    return held(_SIGN_IN)


def activation_token() -> str | None:
    """Return the secret of the activation under way."""
    return held(_ACTIVATION)


def opening_token() -> str | None:
    """Return the secret of the link this browser followed."""
    return held(_OPENING)


def hold_passkey(token: str) -> None:
    """Keep the secret that goes with the challenge on this page; the one of an earlier page no longer serves."""
    session[_PASSKEY] = token


def take_passkey() -> str | None:
    """Return the secret of the last challenge, and forget it."""
    token = held(_PASSKEY)
    session.pop(_PASSKEY, None)
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


def hold_sign_in(token: str) -> None:
    """Keep the secret of the sign-in under way; one that was begun before in this browser ends."""
    services_sign_in.cancel(sign_in_token(), now=now())
    session[_SIGN_IN] = token


def keep_activation(token: str) -> None:
    """Keep the secret of the activation under way."""
    session[_ACTIVATION] = token


def drop_activation() -> None:
    """Forget the activation that is done."""
    session.pop(_ACTIVATION, None)


def keep_opening(token: str) -> None:
    """Keep the secret of the link this browser followed, so that it leaves the address bar; what has not its shape is none."""
    session.pop(_OPENING, None)
    if is_token(token):
        session[_OPENING] = token


def hold_activation(token: str, next_path: str | None = None) -> None:
    """Spend *token* (of ``open_first_credential``) and let this browser go on at ``/activate/password``."""
    following, linked = services_openings.enter_opening(token, next_path=next_path, now=now())
    session.pop(_OPENING, None)
    session.pop(_ACTIVATION, None)
    session.pop(_LINKED, None)
    if following is not None:
        session[_ACTIVATION] = following
    if linked:
        session[_LINKED] = True


def note_linked() -> None:
    """Remember that a user code was linked to an account that was there."""
    session.pop(_ACTIVATION, None)
    session[_LINKED] = True


def is_linked() -> bool:
    """Tell whether a user code was linked in this browser."""
    return session.get(_LINKED) is True


def device() -> str:
    """Return this browser in words."""
    return device_words(request.user_agent.string)


def enter(signed: Signed) -> Response:
    """Give the browser its new cookie and go on; tokens of forms from before the sign-in die (security S-36).

    After another person's sign-in that lapsed, nothing of theirs is left on the pages (S-42). Whoever must show a passkey
    and has none is led to where it is added; until then nothing else opens.
    """
    # this sign-in proves the account to link it to
    activation = activation_token() if signed.next_path == LINKING else None
    whose = digest(signed.sign_in.person_id)
    if session.get(_WHOSE) not in (None, whose):
        _forget_pages(*current_app.extensions.get(_STAYING, ()))
    session[_WHOSE] = whose
    for name in (_SIGN_IN, _ACTIVATION, _OPENING, _LINKED, _PASSKEY, _NEW_APPLICATION):
        session.pop(name, None)
    if activation is not None:
        keep_activation(activation)
    new_form_tokens()
    cookies.hold(signed.token, signed.sign_in)
    if signed.falls_short:
        return see_other(f"/account/security/passkey?{urlencode({'next': signed.next_path})}")
    return see_other(signed.next_path)


def on_the_way() -> dict[str, str | bool | None]:
    """Return what the pages of a sign-in say of the agency that it is for."""
    context: SignInContext | None = g.get("sign_in_context")
    return {
        "agency_name": context.agency_name if context else None,
        "cancel_path": context.cancel_path if context else None,
        "asks_again": context is not None and context.asks_again,
        "needs_passkey": context is not None and context.demanded_level >= PASSKEY,
    }


def former_sign_in() -> SignIn | None:
    """Return the sign-in of this browser that a new one renews or ends, whatever it opens."""
    return current_sign_in() or unfinished_sign_in() or weak_sign_in()


def renew(signed: Signed) -> None:
    """Give the browser the new cookie of a sign-in made fresh; tokens of forms from before die with the old one."""
    new_form_tokens()
    cookies.hold(signed.token, signed.sign_in)


def set_farewell(app: Flask, farewell: Farewell) -> None:
    """Let another room show a page when a sign-in has ended: it is given the ``sid`` and may answer where that page is."""
    app.extensions[_FAREWELL] = farewell


def leave() -> str | None:
    """End the sign-in of this browser and forget what its pages kept, except the language.

    Whoever signs in next on this browser finds nothing of the one before (security S-42). Return where the farewell page is,
    when there is one to show.
    """
    sign_in = former_sign_in()
    if sign_in is not None:
        services_sessions.end_sign_in(sign_in.sid, now=now())
    cookies.drop()
    _forget_pages()
    farewell: Farewell | None = current_app.extensions.get(_FAREWELL)
    return farewell(sign_in.sid) if farewell and sign_in else None


def sign_in_to_link() -> Response:
    """End the sign-in of this browser, keep the activation under way, and ask for the account it shall be linked to."""
    activation = activation_token()
    leave()
    if activation is not None:
        keep_activation(activation)
    return see_other(f"/sign-in?{urlencode({'next': LINKING})}")


def keep_for_anybody(app: Flask, *names: str) -> None:
    """Let another room's entries stay in the page session when another person signs in after a sign-in that lapsed."""
    app.extensions[_STAYING] = (*app.extensions.get(_STAYING, ()), *names)


def on_forgetting(app: Flask, act: Callable[[], None]) -> None:
    """Have another room end what its entries in the page session open, when these are about to be forgotten."""
    app.extensions[_FORGETTING] = (*app.extensions.get(_FORGETTING, ()), act)


def _forget_pages(*staying: str) -> None:
    for act in current_app.extensions.get(_FORGETTING, ()):
        act()
    kept = {name: session[name] for name in ("lang", *staying) if name in session}
    session.clear()
    session.update(kept)
    g.pop("csrf_token", None)


def new_form_tokens() -> None:
    """Make every form token handed out so far worthless."""
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def one_of_each() -> None:
    """Refuse a form that names a field twice: two readers could choose differently (security S-55)."""
    if request.method == "POST" and any(len(values) > 1 for _, values in request.form.lists()):
        abort(400)
