"""The pages of enrolment."""

from __future__ import annotations

from flask import Flask

from ...accounts.views import Succession, add_succession, on_forgetting
from .. import linking_services
from ..email_code_services import init_returning
from ..notice_services import init_notices
from .blueprint import pages, release


def init_app(app: Flask) -> None:
    """Bind pages and notices to *app*."""
    from . import details, drafting, following, people, returning, slips  # noqa: F401 (each adds its pages)

    app.register_blueprint(pages)
    app.register_blueprint(details.blueprint)
    app.add_url_rule("/terms", "enrollment.terms", returning.terms_page)
    init_notices(app)
    init_returning(app)
    on_forgetting(app, release)
    add_succession(app, Succession(linking_services.hand_over, linking_services.objections))
