"""refresh tokens: what a grant keeps of their family.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("authorization_grant") as table:
        table.add_column(sa.Column("offline_until", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("refresh_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("refresh_generation", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("refreshed_at", UtcDateTime(), nullable=True))
        table.create_unique_constraint(op.f("uq_authorization_grant_refresh_digest"), ["refresh_digest"])
        table.create_index(op.f("ix_authorization_grant_created_at"), ["created_at"])


def downgrade() -> None:
    with op.batch_alter_table("authorization_grant") as table:
        table.drop_index(op.f("ix_authorization_grant_created_at"))
        table.drop_constraint(op.f("uq_authorization_grant_refresh_digest"), type_="unique")
        for name in ("refreshed_at", "refresh_generation", "refresh_digest", "offline_until"):
            table.drop_column(name)
