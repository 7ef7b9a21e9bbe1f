"""consents: the blocks agreed to; those of people who left end.

Revision: 0023, after 0022

A consent to the scope ``functional_blocks`` said "which of its electronic services you may use, today and as long as you
agree", and goes on counting for all of them; not where the agency asks for blocks by name, which the record did not keep:
such a person is asked again. Consents and grants of people who no longer belong to their enterprise end.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_CONSENTS = sa.table(
    "consent",
    *(sa.column(name, sa.String()) for name in ("id", "person_id", "enterprise_id", "agency_id")),
    *(sa.column(name, sa.JSON()) for name in ("scopes", "claims", "blocks")),
    sa.column("withdrawn_at", UtcDateTime()),
)
_GRANTS = sa.table(
    "authorization_grant",
    *(sa.column(name, sa.String()) for name in ("person_id", "enterprise_id", "agency_id")),
    sa.column("details", sa.JSON()),
    sa.column("revoked_at", UtcDateTime()),
)
_MEMBERS = sa.table("membership", *(sa.column(name, sa.String()) for name in ("person_id", "enterprise_id", "status")))


def upgrade() -> None:
    with op.batch_alter_table("consent") as table:
        table.add_column(sa.Column("blocks", sa.JSON(), nullable=True))
    about_blocks = sa.or_(
        *(sa.cast(_CONSENTS.c[name], sa.Text()).like('%"functional_blocks"%') for name in ("scopes", "claims"))
    )
    by_name = sa.exists().where(
        *(_GRANTS.c[name] == _CONSENTS.c[name] for name in ("person_id", "enterprise_id", "agency_id")),
        sa.cast(_GRANTS.c.details, sa.Text()) != "[]",
    )
    op.execute(sa.update(_CONSENTS).where(about_blocks, ~by_name).values(blocks=["*"]))
    now = datetime.now(UTC)
    for rows, end in ((_CONSENTS, "withdrawn_at"), (_GRANTS, "revoked_at")):
        belongs = sa.exists().where(
            _MEMBERS.c.person_id == rows.c.person_id,
            _MEMBERS.c.enterprise_id == rows.c.enterprise_id,
            _MEMBERS.c.status != "removed",
        )
        op.execute(sa.update(rows).where(rows.c[end].is_(None), ~belongs).values({end: now}))


def downgrade() -> None:
    told = sa.cast(_CONSENTS.c.blocks, sa.Text())
    by_name = sa.and_(
        told.is_not(None), told.not_in(('["*"]', "[]", "null"))
    )  # the older code would count them for all
    op.execute(
        sa.update(_CONSENTS).where(by_name, _CONSENTS.c.withdrawn_at.is_(None)).values(withdrawn_at=datetime.now(UTC))
    )
    with op.batch_alter_table("consent") as table:
        table.drop_column("blocks")
