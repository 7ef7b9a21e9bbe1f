"""names: corrected by their persons.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "name_change",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("former_given_name", sa.String(length=100), nullable=False),
        sa.Column("former_family_name", sa.String(length=100), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("family_name", sa.String(length=100), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_name_change_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_change")),
    )
    op.create_index(op.f("ix_name_change_person_id"), "name_change", ["person_id"])


def downgrade() -> None:
    op.drop_table("name_change")
