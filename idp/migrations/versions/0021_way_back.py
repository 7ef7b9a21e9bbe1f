"""where an interaction leads back to, kept after what was asked is forgotten; what was typed last at a step.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("interaction") as table:
        table.alter_column("request", existing_type=sa.JSON(), nullable=True)
        table.add_column(sa.Column("redirect_uri", sa.Text(), nullable=True))
        table.add_column(sa.Column("response_mode", sa.String(length=20), nullable=True))
        table.add_column(sa.Column("state", sa.Text(), nullable=True))
    with op.batch_alter_table("challenge") as table:
        table.add_column(sa.Column("answer_digest", sa.String(length=64), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("challenge") as table:
        table.drop_column("answer_digest")
    op.execute("DELETE FROM interaction WHERE request IS NULL")
    with op.batch_alter_table("interaction") as table:
        table.drop_column("state")
        table.drop_column("response_mode")
        table.drop_column("redirect_uri")
        table.alter_column("request", existing_type=sa.JSON(), nullable=False)
