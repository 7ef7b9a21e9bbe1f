"""The blueprints of delegation."""

from __future__ import annotations

from flask import Flask, render_template
from markupsafe import Markup

from ...accounts.credentials.security_notice_services import set_postal_lines
from ...accounts.recovery.lost_code_services import EnterpriseOfCode, set_enterprise_lookup
from ...accounts.sessions.domain.sign_ins import OpenSignIn
from ...accounts.sessions.sessions import SignIn
from ...accounts.views import (
    Departure,
    Succession,
    add_account_section,
    add_departure,
    add_sign_in_detail,
    add_succession,
)
from ...i18n import lazy_gettext as _l
from .. import presenting, services
from ..people import (
    departure_notices,
    departure_services,
    frozen_account_notices,
    linking_services,
    people_services,
    postal_services,
    renaming,
)
from . import changes, journal, people, questions, reminders, reproofing, requests, rights, subscriptions


def init_app(app: Flask) -> None:
    """Register the pages of people, rights, journal, agencies and the enterprise's home."""
    for pages in (people, reproofing, rights, journal, subscriptions, changes, reminders, requests):
        app.register_blueprint(pages.blueprint)
    frozen_account_notices.init_app(app)
    departure_notices.init_app(app)
    renaming.init_app(app)
    questions.init_app(app)
    add_departure(
        app,
        Departure(
            departure_services.leave,
            departure_notices.objections,
            departure_services.is_somewhere,
            people_services.forget_names,
        ),
    )
    add_succession(app, Succession(linking_services.hand_over, linking_services.objections))
    add_account_section(app, enterprises_section)
    add_sign_in_detail(app, _l("Enterprise"), enterprises_of_sign_ins)
    app.extensions["mandat.password_words"] = password_words
    set_enterprise_lookup(app, enterprises_of_codes)
    set_postal_lines(app, postal_services.postal_lines)


def enterprises_section(sign_in: SignIn) -> Markup:
    """Show the enterprises of a person on the account page: role, user code, state."""
    rows = [
        (view.enterprise, presenting.ROLES[view.role], view.user_code, *presenting.STATUSES[view.status])
        for view in services.memberships_of(sign_in.person_id)
    ]
    return Markup(render_template("delegation/account_section.html", rows=rows))  # noqa: S704 (an escaping template)


def enterprises_of_sign_ins(person_id: str, sign_ins: tuple[OpenSignIn, ...]) -> dict[str, str]:
    """Return for which enterprise each sign-in acts, by ``sid``."""
    names = {view.enterprise_id: view.enterprise for view in services.memberships_of(person_id)}
    return {one.sid: names[one.enterprise_id] for one in sign_ins if one.enterprise_id in names}


def password_words(person_id: str) -> tuple[str, ...]:
    """Return what a password may not hold: the numbers and names of the person's enterprises (ASVS 6.2.11)."""
    views = services.memberships_of(person_id)
    return tuple(words for view in views for words in (view.neq, view.enterprise_name))


def enterprises_of_codes(person_id: str) -> dict[str, EnterpriseOfCode]:
    """Return of which enterprise each user code of a person is, for the reminder sent to a person who lost theirs."""
    views = services.memberships_of(person_id)
    return {view.user_code.replace("-", ""): EnterpriseOfCode(view.enterprise_name, view.enterprise) for view in views}
