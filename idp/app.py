"""The composition root: the only place where everything meets."""

from __future__ import annotations

from collections.abc import Collection

from flask import Flask, g, request

from .accounts import services as accounts
from .accounts import views as accounts_views
from .accounts.sessions.sessions import current_sign_in
from .clock import Clock, SystemClock
from .config import Settings, folder, read_settings
from .connectors.local import LocalRegister, LocalTaxAgency
from .crypto.sealing import Sealing
from .db import init_db
from .delegation import services as delegation
from .delegation import views as delegation_views
from .delegation.acting import navigation
from .enrollment import views as enrollment_views
from .http.bindings import init_bindings
from .http.limits import init_limits
from .http.page_cache import init_page_cache
from .http.web import Viewer, init_web
from .i18n import gettext as _
from .i18n import init_i18n
from .logs import init_logs
from .my_data import views as my_data_views
from .oidc import views as oidc_views
from .pages import views as pages_views
from .support import services as support
from .support import views as support_views
from .templating import init_templating

CONTEXTS = {
    "pages": pages_views.init_app,
    "accounts": accounts_views.init_app,
    "enrollment": enrollment_views.init_app,
    "delegation": delegation_views.init_app,
    "oidc": oidc_views.init_app,
    "support": support_views.init_app,
    "my_data": my_data_views.init_app,
}  # in the order in which they join the application


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock | None = None,
    testing: bool = False,
    contexts: Collection[str] = tuple(CONTEXTS),
) -> Flask:
    """Build the application from *settings* (read from the environment when none are given)."""
    settings = settings or read_settings()
    init_logs(settings)
    app = Flask("idp", template_folder=str(folder("templates")), static_folder=str(folder("static")))
    app.testing = testing
    sealing = Sealing.load(settings.keys_dir)
    app.extensions["mandat.settings"] = settings
    app.extensions["mandat.clock"] = clock or SystemClock()
    app.extensions["mandat.sealing"] = sealing
    app.extensions["mandat.renderers"] = {}
    init_templating(app)
    init_page_cache(app)
    init_db(app, settings)
    init_i18n(app)
    init_bindings(app)  # inside the path of the issuer, which init_web removes
    init_web(app, settings, sealing)
    init_limits(app, settings)
    for context in contexts:
        CONTEXTS[context](app)
    if "enrollment" in contexts:
        _connect(app)
    if "delegation" in contexts:
        _show_viewer(app)
    return app


def _connect(app: Flask) -> None:
    """Register the connectors: the imported copies of the register and of the tax agency's file."""
    app.extensions["mandat.register"] = LocalRegister()
    app.extensions["mandat.tax_agency"] = LocalTaxAgency()


def _show_viewer(app: Flask) -> None:
    """Give the page frame the signed-in person, their enterprise, and the pages they may open."""

    def staff_links(person_id: str) -> list[tuple[str, str, bool]]:
        staff = support.operator_of(person_id)
        if staff is None:
            return []
        if staff.role == "operator":
            return [("/desk", _("Files to review"), request.path.startswith("/desk"))]
        return [("/desk/subscriptions", _("Subscriptions to decide"), request.path.startswith("/desk"))]

    @app.before_request
    def see() -> None:
        if request.endpoint == "static" or request.blueprint in ("oidc_machine", "oidc_streams"):
            return
        sign_in = current_sign_in()
        if sign_in is None:
            return
        person = accounts.person(sign_in.person_id)
        views = [view for view in delegation.memberships_of(person.id) if view.counts]
        here = [view for view in views if view.enterprise_id == sign_in.enterprise_id]
        links = list(navigation(frozenset(view.role for view in here))) if here else []
        if len({view.enterprise_id for view in views}) > 1:
            links.append(("/enterprises", _("Change enterprise"), request.path == "/enterprises"))
        links += staff_links(person.id)
        g.viewer = Viewer(person.name, here[0].enterprise if here else None, tuple(links))
