"""dynamic registration: initial access tokens, and what a registered client manages itself with.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "initial_access_token",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_initial_access_token")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_initial_access_token_token_digest")),
    )
    with op.batch_alter_table("relying_party") as table:
        table.add_column(sa.Column("registered_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("registration_digest", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("revoked_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("relying_party") as table:
        table.drop_column("revoked_at")
        table.drop_column("registration_digest")
        table.drop_column("registered_at")
    op.drop_table("initial_access_token")
