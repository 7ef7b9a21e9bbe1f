"""The pages of accounts, and what they need at every request."""

from __future__ import annotations

from flask import Flask, Response, g, request

from ...crypto.sealing import current_sealing
from ...http.refusals import add_actor_reader
from ...http.web import current_settings, error_page, show_again
from ...i18n import gettext as _
from ..credentials.hashing import init_hasher
from ..errors import BusyError
from ..leaving.closing_services import add_departure as add_departure
from ..leaving.domain.closing import Departure as Departure
from ..leaving.domain.closing import Objection as Objection
from ..mails import init_mails
from ..sessions.cookies import init_cookies, presented_digest
from ..sessions.sessions import actor_of_request, preferred_language
from ..throttling.concurrency_limit import init_concurrency_limit
from ..user_codes.domain.linking import Succession as Succession
from ..user_codes.linking_services import add_succession as add_succession
from . import (
    account,
    activation,
    browser,
    closing,
    confirm,
    devices,
    email_change,
    email_sign_in,
    freezing,
    linking,
    names,
    passkeys,
    recovery,
    security,
    sign_in,
)
from .account import add_account_section as add_account_section
from .browser import hold_activation as hold_activation
from .browser import leave as leave
from .browser import on_forgetting as on_forgetting
from .browser import set_farewell as set_farewell
from .devices import add_sign_in_detail as add_sign_in_detail


def init_app(app: Flask) -> None:
    """Add accounts to *app*."""
    with app.app_context():
        init_hasher(app, current_settings(), current_sealing())
    init_concurrency_limit(app, app.extensions["mandat.settings"].workers)
    init_cookies(app)
    init_mails(app)
    add_actor_reader(app, actor_of_request)
    app.before_request(_speak_their_language)
    app.register_error_handler(BusyError, _busy)
    show_again(app, browser.shown_again)
    app.jinja_env.globals["sign_in_page"] = browser.sign_in_page
    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(passkeys.blueprint)
    app.register_blueprint(email_sign_in.blueprint)
    app.register_blueprint(activation.blueprint)
    app.register_blueprint(linking.blueprint)
    app.register_blueprint(account.blueprint)
    app.register_blueprint(security.blueprint)
    add_account_section(app, security.account_section)
    app.register_blueprint(confirm.blueprint)
    app.register_blueprint(devices.blueprint)
    app.register_blueprint(freezing.blueprint)
    app.register_blueprint(email_change.blueprint)
    add_account_section(app, email_change.account_section)
    add_account_section(app, devices.account_section)
    add_account_section(app, freezing.account_section)
    app.register_blueprint(closing.blueprint)
    app.register_blueprint(names.blueprint)
    recovery.init_app(app)


def _speak_their_language() -> None:
    if request.endpoint != "static" and presented_digest() is not None:
        g.preferred_language = preferred_language()


def _busy(error: BusyError) -> Response:
    page = error_page(
        error.status,
        error.code,
        _("Many people are signing in"),
        _("Nothing was lost. Wait a few seconds, then go back and try again."),
    )
    page.headers["Retry-After"] = str(error.retry_after)
    return page
