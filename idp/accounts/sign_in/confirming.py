"""Acts that matter ask for a factor shown in the last minutes (OWASP ASVS 7.5.1, 7.5.3); ``idp.acts`` says which acts those are.

Put ``@fresh_sign_in_required`` under the decorator that says who may act, so that who may not act is never asked. What was
posted waits, sealed and for this sign-in alone, and goes on after the code. Passwords and codes never wait: guard the GET of
a form that asks for one too, so that it is typed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Response, make_response, redirect, request

from ...acts import asks_for_factor
from ...http.web import current_settings, now
from ..sessions.domain.sign_ins import SignIn
from ..sessions.sessions import confirm_address, current_sign_in, sign_in_address

View = TypeVar("View", bound=Callable[..., Any])
_GUARDED = "asks_for_factor"


def fresh_sign_in_required(view: View) -> View:
    """Ask a person who showed their factors some time ago (five minutes, by default) to do so again, then go on.

    The row of the route in ``idp.acts`` says whether reading the page asks too, or only what is posted.
    """

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> Any:
        if not asks_for_factor(request.endpoint, request.method):
            return view(*arguments, **values)
        sign_in = current_sign_in()
        if sign_in is None:
            return redirect(sign_in_address(), code=303)
        if not is_fresh(sign_in):
            return ask_again(sign_in)
        return view(*arguments, **values)

    return asks_itself(guarded)  # type: ignore[return-value]


def asks_itself(view: View) -> View:
    """Mark a view that asks for a factor where it must: ``tests/test_acts.py`` compares the marks with ``idp.acts``."""
    setattr(view, _GUARDED, True)
    return view


def is_guarded(view: Callable[..., Any]) -> bool:
    """Return whether a view, under all its decorators, asks for a factor."""
    return hasattr(view, _GUARDED)


def is_fresh(sign_in: SignIn) -> bool:
    """Return whether this sign-in, and no other of the person, was confirmed lately."""
    freshness = timedelta(minutes=current_settings().fresh_sign_in_minutes)
    return not sign_in.is_weak and sign_in.auth_time + freshness > now()


def ask_again(sign_in: SignIn) -> Response:
    """Lead to the page that asks for a factor; what was posted waits."""
    return make_response(redirect(confirm_address(sign_in), code=303 if request.method == "POST" else 302))
