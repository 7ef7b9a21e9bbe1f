"""Files that name a person move to the account found to be theirs; a proved name does not change."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select, update

from ..accounts import services as accounts
from ..accounts.leaving.domain.closing import Objection
from ..db import db, transaction
from ..errors import ConflictError
from ..i18n import gettext as _
from .domain.names import same_name
from .models import EnrolmentFile, Nominee


def objections(newcomer: str, account: str) -> tuple[Objection, ...]:
    """Return why a representative, whose identity a file proved, cannot be linked to an account under another name."""
    if not _proved_under_another_name(newcomer, account):
        return ()
    return (
        Objection(
            _("The enrolment proved the identity of a person whose name is not the one of this account."),
            _("Choose a password for this code, or call us if the account is yours under another name."),
        ),
    )


def hand_over(newcomer: str, account: str, now: datetime) -> None:
    """Name *account* in the files that name *newcomer*, in the caller's transaction.

    The files are locked first, in the same way as when a slip is made.

    Raises:
        ConflictError: a file proved the identity of the newcomer under another name.
    """
    with transaction():
        _hold_files_of(newcomer)
        if _proved_under_another_name(newcomer, account):
            raise ConflictError("the identity was proved under another name")
        for column in (EnrolmentFile.representative_id, Nominee.person_id):
            db.session.execute(
                update(column.class_)
                .where(column == newcomer)
                .values({column: account})
                .execution_options(synchronize_session=False)
            )


def _hold_files_of(person_id: str) -> None:
    named_in = select(Nominee.file_id).where(Nominee.person_id == person_id)
    is_theirs = or_(EnrolmentFile.representative_id == person_id, EnrolmentFile.id.in_(named_in))
    db.session.execute(select(EnrolmentFile.id).where(is_theirs).order_by(EnrolmentFile.id).with_for_update()).all()


def _proved_under_another_name(newcomer: str, account: str) -> bool:
    is_proved = db.session.scalar(select(EnrolmentFile.id).where(EnrolmentFile.representative_id == newcomer).limit(1))
    if is_proved is None:
        return False
    known = accounts.people((newcomer, account))
    named, whom = known[newcomer], known[account]
    return not same_name(named.given_name, named.family_name, whom.given_name, whom.family_name)
