"""the browsers that may open an enrolment file, which end.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "enrolment_browser",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_browser_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_browser")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_enrolment_browser_secret_digest")),
    )
    op.create_index(op.f("ix_enrolment_browser_file_id"), "enrolment_browser", ["file_id"])
    op.create_index(op.f("ix_enrolment_browser_expires_at"), "enrolment_browser", ["expires_at"])


def downgrade() -> None:
    op.drop_table("enrolment_browser")
