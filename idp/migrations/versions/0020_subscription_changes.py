"""changes of the blocks and answers of an active subscription.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscription_change",
        sa.Column("subscription_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("former_blocks", sa.JSON(), nullable=False),
        sa.Column("former_answers", sa.JSON(), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("extends", sa.Boolean(), nullable=False),
        sa.Column("questionnaire_version", sa.String(length=64), nullable=False),
        sa.Column("consent_version", sa.String(length=64), nullable=True),
        sa.Column("consent_digest", sa.String(length=64), nullable=True),
        sa.Column("asked_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("decided_at", UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_subscription_change_subscription_id_subscription"
        ),
        sa.PrimaryKeyConstraint("subscription_id", "revision", name="pk_subscription_change"),
    )


def downgrade() -> None:
    op.execute("UPDATE subscription SET state = 'active' WHERE state = 'changing'")
    op.drop_table("subscription_change")
