"""system users: software approved to act for an enterprise.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "software_approval",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("not_after", UtcDateTime(), nullable=False),
        sa.Column("approved_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_software_approval_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_software_approval")),
    )
    op.create_index(op.f("ix_software_approval_client_id"), "software_approval", ["client_id"])
    not_revoked = sa.text("revoked_at IS NULL")
    op.create_index(
        "uq_software_approval_enterprise_client",
        "software_approval",
        ["enterprise_id", "client_id"],
        unique=True,
        sqlite_where=not_revoked,
        postgresql_where=not_revoked,
    )


def downgrade() -> None:
    op.drop_table("software_approval")
