"""Requests for access.

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    op.create_table(
        "access_request",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("membership_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("notified_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("granted", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name="fk_access_request_enterprise_id_enterprise"
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name="fk_access_request_membership_id_membership"
        ),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name="fk_access_request_agency_id_agency"),
        sa.PrimaryKeyConstraint("id", name="pk_access_request"),
    )
    op.create_index("ix_access_request_enterprise", "access_request", ["enterprise_id", "state", "asked_at"])
    op.create_index("ix_access_request_person", "access_request", ["person_id", "asked_at"])
    op.create_index("ix_access_request_state", "access_request", ["state", "expires_at"])
    op.create_index(
        "uq_access_request_open",
        "access_request",
        ["membership_id", "agency_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )


def downgrade() -> None:
    op.drop_table("access_request")
