"""people: the name and the address that each enterprise knows, and the name that was verified or vouched for.

Revision: 0019, after 0018

What a row knows is copied from its person; a user code that was linked keeps what was given with it, which is still on the row it
left; a name corrected since the role was given was vouched for as it was before.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NAMES = ("given_name", "family_name")
_KNOWN = (*_NAMES, "email", "vouched_given_name", "vouched_family_name")


def _table(name: str, *columns: str, **typed: Any) -> Any:
    return sa.table(name, *map(sa.column, columns), *(sa.column(key, kind) for key, kind in typed.items()))


PERSON = _table("person", "id", *_NAMES, "email")
MEMBER = _table(
    "membership", "id", "person_id", "status", *_KNOWN, appointed_at=UtcDateTime(), vouched_at=UtcDateTime()
)
CHANGE = _table("name_change", "person_id", "former_given_name", "former_family_name", at=UtcDateTime())
ENTRY = _table("audit_entry", "event", details=sa.JSON())
PROOF = _table("enterprise_verification", "id", "file_id", "authorized_representative", *_NAMES)
FILE = _table("enrolment_file", "id", *_NAMES)


def upgrade() -> None:
    with op.batch_alter_table("membership") as table:
        for name in _KNOWN:
            kind = sa.String(length=254 if name == "email" else 100)
            table.add_column(sa.Column(name, kind, nullable=False, server_default=""))
        table.add_column(sa.Column("vouched_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("enterprise_verification") as table:
        for name in _NAMES:
            table.add_column(sa.Column(name, sa.String(length=100), nullable=False, server_default=""))
    bind = op.get_bind()
    for row in list(_members(bind)):
        bind.execute(sa.update(MEMBER).where(MEMBER.c.id == row.pop("id")).values(**row))
    proved = (
        sa.select(
            PROOF.c.id,
            sa.func.coalesce(FILE.c.given_name, PERSON.c.given_name, "").label("given_name"),
            sa.func.coalesce(FILE.c.family_name, PERSON.c.family_name, "").label("family_name"),
        )
        .select_from(PROOF)
        .outerjoin(FILE, FILE.c.id == PROOF.c.file_id)
        .outerjoin(PERSON, PERSON.c.id == PROOF.c.authorized_representative)
    )
    for row in bind.execute(proved).all():
        names = {"given_name": row.given_name, "family_name": row.family_name}
        bind.execute(sa.update(PROOF).where(PROOF.c.id == row.id).values(**names))


def _members(bind: sa.Connection) -> Iterator[dict[str, Any]]:
    people = {row.id: row for row in bind.execute(sa.select(PERSON)).all()}
    changes: dict[str, list[Any]] = {}
    for change in bind.execute(sa.select(CHANGE).order_by(CHANGE.c.at)).all():
        changes.setdefault(change.person_id, []).append(change)
    linked = {
        str(details.get("membership")): str(details.get("former_person"))
        for details in bind.scalars(sa.select(ENTRY.c.details).where(ENTRY.c.event == "membership:linked"))
    }
    for member in bind.execute(sa.select(MEMBER)).all():
        given = people.get(linked.get(member.id, member.person_id))
        if given is None:
            continue
        since = [change for change in changes.get(given.id, ()) if change.at > member.appointed_at]
        vouched = (since[0].former_given_name, since[0].former_family_name) if since else (given[1], given[2])
        renamed = people[member.person_id] if member.person_id in changes else given
        yield {
            "id": member.id,
            "given_name": renamed.given_name,
            "family_name": renamed.family_name,
            "email": "" if member.status == "removed" else given.email,
            "vouched_given_name": vouched[0],
            "vouched_family_name": vouched[1],
            "vouched_at": member.appointed_at,
        }


def downgrade() -> None:
    with op.batch_alter_table("enterprise_verification") as table:
        for name in _NAMES:
            table.drop_column(name)
    with op.batch_alter_table("membership") as table:
        for name in (*_KNOWN, "vouched_at"):
            table.drop_column(name)
