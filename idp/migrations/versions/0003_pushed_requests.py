"""pushed authorization requests, and codes bound to a key.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pushed_request",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_pushed_request_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_pushed_request")),
    )
    op.create_index(op.f("ix_pushed_request_expires_at"), "pushed_request", ["expires_at"])
    op.add_column("authorization_grant", sa.Column("dpop_jkt", sa.String(length=43), nullable=True))


def downgrade() -> None:
    op.drop_column("authorization_grant", "dpop_jkt")
    op.drop_index(op.f("ix_pushed_request_expires_at"), table_name="pushed_request")
    op.drop_table("pushed_request")
