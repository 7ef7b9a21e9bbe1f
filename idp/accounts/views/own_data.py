"""Recent activity in plain words, and what Mandat keeps about oneself as a file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ... import audit
from ...audit import labels
from ...http.limits import FORMS, limiter
from ...http.web import now
from ...i18n import gettext as _
from .. import services_own_data
from ..my_data import FORMAT, PARTS, MyData, actor_word, file_name
from ..sessions.sessions import current_sign_in, sign_in_required
from ..sessions.sign_ins import SignIn
from ..sign_in.confirming import fresh_sign_in_required

blueprint = Blueprint("own_data", __name__)

Read = Callable[[str, datetime], list[dict[str, Any]]]
_PARTS = "mandat.my_data"
_SHOWN = 50  # entries


@dataclass(frozen=True, slots=True)
class RoomPart:
    """What another room gives of a person's data, and the tables that it takes it from."""

    read: Read
    tables: frozenset[str]


def add_my_data(app: Flask, part: str, read: Read, *, tables: Collection[str]) -> None:
    """Let another room give its *part* of what a person may take away, read from *tables*.

    A test holds every table of the product against these names.
    """
    app.extensions.setdefault(_PARTS, {})[part] = RoomPart(read, frozenset(tables))


def parts(app: Flask) -> dict[str, RoomPart]:
    """Return what other rooms give, by the name of the part."""
    return dict(app.extensions.get(_PARTS, {}))


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
    return render_template("accounts/activity.html", rows=rows, more=len(rows) == _SHOWN)


@blueprint.get("/account/data")
@sign_in_required
def about() -> ResponseReturnValue:
    """Say what the file holds, and how to have something corrected."""
    return render_template("accounts/my_data.html")


@blueprint.get("/account/data.json")
@limiter.limit(FORMS)
@fresh_sign_in_required
def download() -> ResponseReturnValue:
    """Give the file, to somebody who has just shown who they are."""
    made_at, person_id = now(), _person_id()
    body = whole(person_id, made_at).model_dump_json(indent=2)
    answer = Response(body, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(made_at)}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def whole(person_id: str, made_at: datetime) -> MyData:
    """Gather what every room keeps about a person; a room that is not there leaves its parts empty."""
    rooms = {name: part.read(person_id, made_at) for name, part in parts(current_app).items()}
    own = services_own_data.of_person(person_id)
    empty: dict[str, Any] = {name: [] for name in PARTS}
    return MyData.model_validate({"format": FORMAT, "made_at": made_at, **dict(own), **empty, **rooms})


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
