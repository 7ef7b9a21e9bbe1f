"""questions of people who do not know who is in charge of their enterprise.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_question_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index("ix_question_enterprise_asked_at", "question", ["enterprise_id", "asked_at"])
    op.create_index(op.f("ix_question_asked_at"), "question", ["asked_at"])


def downgrade() -> None:
    op.drop_table("question")
