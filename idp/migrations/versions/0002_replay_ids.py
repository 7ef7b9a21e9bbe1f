"""identifiers that may be used once.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "replay_id",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("identifier_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "identifier_digest", name=op.f("pk_replay_id")),
    )
    op.create_index(op.f("ix_replay_id_expires_at"), "replay_id", ["expires_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_replay_id_expires_at"), table_name="replay_id")
    op.drop_table("replay_id")
