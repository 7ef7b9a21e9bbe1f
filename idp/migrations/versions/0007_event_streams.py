"""event streams, their removed subjects, the events they carry.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_stream",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=True),
        sa.Column("authorization", sa.Text(), nullable=True),
        sa.Column("events", sa.JSON(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_event_stream_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_stream")),
        sa.UniqueConstraint("client_id", name=op.f("uq_event_stream_client_id")),
    )
    op.create_index(op.f("ix_event_stream_agency_id"), "event_stream", ["agency_id"])
    op.create_table(
        "event_stream_removed_subject",
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("sub", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["event_stream.id"], name=op.f("fk_event_stream_removed_subject_stream_id_event_stream")
        ),
        sa.PrimaryKeyConstraint("stream_id", "sub", name=op.f("pk_event_stream_removed_subject")),
    )
    op.create_table(
        "security_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("stream_id", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=100), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("enterprise_id", sa.String(length=32), nullable=True),
        sa.Column("removal_id", sa.String(length=32), nullable=True),
        sa.Column("carrier", sa.String(length=32), nullable=True),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("refused_as", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["stream_id"], ["event_stream.id"], name=op.f("fk_security_event_stream_id_event_stream")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_event")),
        sa.UniqueConstraint("stream_id", "cause", name=op.f("uq_security_event_stream_id")),
    )
    op.create_index(op.f("ix_security_event_removal_id"), "security_event", ["removal_id"])
    op.create_index(op.f("ix_security_event_queued_at"), "security_event", ["queued_at"])


def downgrade() -> None:
    op.drop_table("security_event")
    op.drop_table("event_stream_removed_subject")
    op.drop_table("event_stream")
