"""Recent activity in plain words, and what Mandat keeps about oneself as a file."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Flask, Response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from .. import audit
from ..accounts.sessions.domain.sign_ins import SignIn
from ..accounts.sessions.sessions import current_sign_in, sign_in_required
from ..accounts.sign_in.confirming import fresh_sign_in_required
from ..accounts.views import add_account_section, devices
from ..audit import labels
from ..http.limits import FORMS, limiter
from ..http.web import now
from ..i18n import gettext as _
from ..own_data import actor_word
from .gathering import whole
from .schema import file_name

blueprint = Blueprint("my_data", __name__)

_SHOWN = 50  # entries


def init_app(app: Flask) -> None:
    """Register the pages, and their links on the account page."""
    app.register_blueprint(blueprint)
    add_account_section(app, account_section, after=devices.account_section)


def account_section(_sign_in: SignIn) -> Markup:
    """Return what the account page says of activity and data."""
    link = Markup('<li><a class="govuk-link" href="{}">{}</a></li>')
    links = link.format("/account/activity", _("Recent activity")) + link.format("/account/data", _("Download my data"))
    heading = Markup('<h2 class="govuk-heading-m">{}</h2>').format(_("My activity and my data"))
    return heading + Markup('<ul class="govuk-list">{}</ul>').format(links)


@blueprint.get("/account/activity")
@sign_in_required
def activity() -> ResponseReturnValue:
    """Show what happened to the account lately; entries about this person only."""
    person_id = _person_id()
    words = {
        "you": _("You"),
        "system": "Mandat",
        "client": _("An agency"),
        "operator": _("An operator"),
        "anonymous": _("Somebody not signed in"),
    }
    rows = []
    for entry in audit.entries(person_id=person_id, limit=_SHOWN, before=_before()):
        by = actor_word(entry.actor_kind, entry.actor_id, person_id)
        rows.append((entry.at, labels.label(entry.event), words.get(by, _("Another person"))))
    return render_template("my_data/activity.html", rows=rows, more=len(rows) == _SHOWN)


@blueprint.get("/account/data")
@sign_in_required
def about() -> ResponseReturnValue:
    """Say what the file holds, and how to have something corrected."""
    return render_template("my_data/about.html")


@blueprint.get("/account/data.json")
@limiter.limit(FORMS)
@fresh_sign_in_required
def download() -> ResponseReturnValue:
    """Give the file, to a person who has just shown who they are."""
    made_at, person_id = now(), _person_id()
    body = whole(person_id, made_at).model_dump_json(indent=2)
    answer = Response(body, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(made_at)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _before() -> datetime | None:
    try:
        instant = datetime.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _person_id() -> str:
    sign_in = current_sign_in()
    assert sign_in is not None  # noqa: S101 (sign_in_required)
    return sign_in.person_id
