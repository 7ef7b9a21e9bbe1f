"""The pages of the desk, and the redirect to them after signing in."""

from __future__ import annotations

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from ..accounts.views import Departure, add_departure
from ..oidc.views.playground import admit_to_playground
from . import file_views, lockout_views, reproofing_views, services, subscription_views
from .access import at_desk
from .roles import DESKS, DeskRole


def init_app(app: Flask) -> None:
    """Register the desk with *app*."""
    app.register_blueprint(file_views.blueprint)
    app.register_blueprint(lockout_views.blueprint)
    app.register_blueprint(reproofing_views.blueprint)
    app.register_blueprint(subscription_views.blueprint)
    app.before_request(_lead_to_desk)
    holds = services.operator_of
    add_departure(app, Departure(services.leave, services.objections, lambda person_id: holds(person_id) is not None))
    admit_to_playground(app, _is_officer)


def _is_officer(_person_id: str) -> bool:
    """Return whether the person is an agency's officer, who may try the tokens that the agency will receive."""
    operator = at_desk()
    return operator is not None and operator.role is DeskRole.AGENCY_OFFICER


def _lead_to_desk() -> ResponseReturnValue | None:
    """Redirect people of the desk from the home of enterprises, where a sign-in ends, to their own."""
    if request.path != "/home" or request.method != "GET":
        return None
    operator = at_desk()
    return redirect(DESKS[operator.role]) if operator else None
