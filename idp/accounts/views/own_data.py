"""Recent activity in plain words, and everything Mandat keeps about oneself as a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, current_app, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from ... import audit
from ...audit import labels
from ...i18n import gettext as _
from ...limits import FORMS, limiter
from ...web import now
from .. import services, services_names
from ..confirming import fresh_sign_in_required
from ..my_data import FORMAT, Act, Code, FormerName, Identity, MyData, Session, actor_word, file_name
from ..sessions import current_sign_in, sign_in_required
from ..sign_ins import SignIn

blueprint = Blueprint("own_data", __name__)

Read = Callable[[str, datetime], list[dict[str, Any]]]
_PARTS = "mandat.my_data"
_SHOWN, _WHOLE = 50, 20_000  # entries


def add_my_data(app: Flask, part: str, read: Read) -> None:
    """Let another room give its *part* of what a person may take away (``enterprises``, ``consents``)."""
    app.extensions.setdefault(_PARTS, {})[part] = read


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
    """Gather what every room keeps about a person."""
    person = services.person(person_id)
    others = {part: read(person_id, made_at) for part, read in current_app.extensions.get(_PARTS, {}).items()}
    return MyData(
        format=FORMAT,
        made_at=made_at,
        person=Identity(
            given_name=person.given_name,
            family_name=person.family_name,
            email=person.email,
            language=person.language,
            last_sign_in_at=person.last_sign_in_at,
        ),
        former_names=[
            FormerName(given_name=each.former_parts[0], family_name=each.former_parts[1], corrected_at=each.at)
            for each in services_names.of_person(person_id)
        ],
        user_codes=[
            Code(user_code=str(each.code), state=each.state.value, activated_at=each.activated_at)
            for each in services.user_codes_of(person_id, now=made_at)
        ],
        sessions=[
            Session(device=each.device, started_at=each.started_at, seen_at=each.seen_at)
            for each in services.open_sign_ins(person_id, now=made_at)
        ],
        activity=[
            Act(at=entry.at, event=entry.event, by=actor_word(entry.actor_kind, entry.actor_id, person_id))
            for entry in audit.entries(person_id=person_id, limit=_WHOLE)
        ],
        **{"enterprises": [], "consents": [], **others},
    )


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
