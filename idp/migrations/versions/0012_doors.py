"""doors: failed tries by the minute, the alarm; counters of known browsers under their person.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "failed_tries",
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_failed_tries")),
    )
    op.create_table(
        "alarm",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_alarm")),
    )
    # their names hold the person now; a counter that is lost only shortens a pause
    op.execute("DELETE FROM guess_counter WHERE subject LIKE 'browser:%'")


def downgrade() -> None:
    op.drop_table("alarm")
    op.drop_table("failed_tries")
