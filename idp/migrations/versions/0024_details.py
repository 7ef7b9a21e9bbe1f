"""position and telephone of those in charge, and what the register said last.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("membership") as table:
        table.add_column(sa.Column("phone", sa.String(length=32), nullable=False, server_default=""))
        table.add_column(sa.Column("position", sa.String(length=32), nullable=False, server_default=""))
    with op.batch_alter_table("enterprise") as table:
        table.add_column(sa.Column("register_entry", sa.JSON(), nullable=True))
        table.add_column(sa.Column("register_read_at", UtcDateTime(), nullable=True))
    for column in ("phone", "position"):  # as they were declared
        op.execute(
            f"UPDATE membership SET {column} = COALESCE((SELECT MAX(f.{column}) FROM enrolment_file f"  # noqa: S608
            " WHERE f.enterprise_id = membership.enterprise_id AND f.representative_id = membership.person_id), '')"
            " WHERE status <> 'removed'"
        )
    op.execute(
        "UPDATE membership SET phone = COALESCE((SELECT MAX(n.phone) FROM enrolment_nominee n JOIN enrolment_file f"
        " ON f.id = n.file_id WHERE f.enterprise_id = membership.enterprise_id"
        " AND n.person_id = membership.person_id), '') WHERE status <> 'removed' AND phone = ''"
    )


def downgrade() -> None:
    with op.batch_alter_table("enterprise") as table:
        table.drop_column("register_read_at")
        table.drop_column("register_entry")
    with op.batch_alter_table("membership") as table:
        table.drop_column("position")
        table.drop_column("phone")
