"""Forms of people and rights: their shape only, the rules decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from werkzeug.datastructures import MultiDict
from wtforms import EmailField, RadioField
from wtforms.validators import DataRequired, Length

from ..http.web_forms import MandatForm, NameField, is_an_address
from ..i18n import gettext as _
from ..i18n import lazy_gettext as _l
from .rights.domain import rules
from .rights.domain.authority import UNRESTRICTED
from .rights.rights_services import Matrix, Right


class PersonForm(MandatForm):
    """A person to add: a user, or a PES."""

    given_name = NameField(_l("Given name"), description=_l("Leave it empty if the person has one name only"))
    family_name = NameField(_l("Family name"), _l("Enter the family name, or the only name"))
    email = EmailField(
        _l("E-mail address"),
        description=_l("Their own: a code is sent there when they sign in for the first time."),
        validators=[
            DataRequired(_l("Enter the e-mail address")),
            Length(max=254),
            is_an_address,
        ],
    )
    language = RadioField(
        _l("Language of their messages"),
        choices=[("fr", "Français"), ("en", "English")],
        default="fr",
        validators=[DataRequired(_l("Choose a language"))],
    )


@dataclass(slots=True)
class Typed:
    """What was typed for one user of the matrix, kept as it was."""

    everything: bool
    blocks: frozenset[str]
    end: str
    error: str | None = None


@dataclass(slots=True)
class RightsForm:
    """The matrix as it is shown or as it was sent."""

    typed: dict[str, Typed]
    wanted: tuple[Right, ...] = ()
    errors: list[dict[str, str]] = field(default_factory=list)

    def object_to(self, membership_id: str, sentence: str) -> None:
        """Put an error beside a user's column and in the summary."""
        self.typed[membership_id].error = sentence
        self.errors.append({"text": sentence, "href": f"#end-{membership_id}"})


def shown(matrix: Matrix, now: datetime) -> RightsForm:
    """Return the matrix as it is now; a person who has no end date is offered the default one."""
    typed = {}
    for user in matrix.users:
        end = user.right.until or rules.default_end(now)
        everything = UNRESTRICTED in user.right.blocks
        typed[user.right.membership_id] = Typed(everything, matrix.codes(user.right), end.isoformat())
    return RightsForm(typed)


def read(sent: MultiDict[str, str], matrix: Matrix, now: datetime, *, names: dict[str, str]) -> RightsForm:
    """Read what was sent for the users named in it; others stay as they are.

    Every code is kept as it came: whether it may be given is for the rules to say.
    """
    form = shown(matrix, now)
    wanted: list[Right] = []
    for membership_id in dict.fromkeys(sent.getlist("user")):
        everything = sent.get(f"all-{membership_id}") == "yes"
        blocks = frozenset(sent.getlist(f"block-{membership_id}"))
        end = (sent.get(f"end-{membership_id}") or "").strip()[:10]
        form.typed[membership_id] = Typed(everything, blocks, end)
        given = frozenset({UNRESTRICTED}) if everything else blocks
        until = _date(end)
        if given and until is None:
            form.object_to(membership_id, _missing_end(end, names.get(membership_id, "")))
        wanted.append(Right(membership_id, given, until if given else None))
    form.wanted = tuple(wanted)
    return form


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _missing_end(typed: str, name: str) -> str:
    if not typed:
        return _("Enter the end date of the access of %(name)s", name=name)
    return _("Write the end date of %(name)s as year, month, day, for example 2027-11-23", name=name)


REASONS = {
    rules.DenialReason.NOT_A_PES: _l("Only a person in charge of electronic services gives access."),
    rules.DenialReason.NOT_SUBSCRIBED: _l("The enterprise is not subscribed to this agency."),
    rules.DenialReason.BLOCK_NOT_HELD: _l("The enterprise does not hold one of these blocks at this agency."),
    rules.DenialReason.TO_SELF: _l("You cannot do this to yourself."),
    rules.DenialReason.OTHER_ENTERPRISE: _l("This person is not of this enterprise."),
    rules.DenialReason.NOT_A_USER: _l("This can only be done for a user."),
    rules.DenialReason.MEMBER_SUSPENDED: _l("This person is suspended: reactivate them first."),
    rules.DenialReason.MEMBER_REMOVED: _l("This person no longer belongs to the enterprise."),
    rules.DenialReason.END_PAST: _l("The end date is in the past."),
    rules.DenialReason.END_TOO_LATE: _l("The end date is more than two years away."),
    rules.DenialReason.LAST_PES: _l(
        "This is the last active person in charge of electronic services. The authorized representative must first add "
        "another one."
    ),
    rules.DenialReason.ROLE_TOO_LOW: _l("Your role does not allow it."),
    rules.DenialReason.ALREADY_SO: _l("This is already done."),
    rules.DenialReason.NOTHING_GRANTED: _l("Choose at least one block."),
    rules.DenialReason.ALREADY_APPROVED: _l(
        "This software is already approved: revoke it first, then approve it again."
    ),
}


def sentences(reasons: Sequence[rules.DenialReason]) -> list[str]:
    """Return the reasons of a decision in the person's language."""
    return [str(REASONS[reason]) for reason in reasons]
