"""recovery: forgotten passwords, re-proofings, security notices, allowances and contact points.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEXES = (
    ("password_recovery", "person_id"),
    ("password_recovery", "expires_at"),
    ("reproofing", "person_id"),
    ("reproofing", "user_code"),
    ("security_notice", "person_id"),
    ("security_notice", "at"),
    ("security_notice", "batch"),
    ("allowance", "changed_at"),
)


def upgrade() -> None:
    op.create_table(
        "password_recovery",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_sent_at", UtcDateTime(), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_password_recovery_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_recovery")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_password_recovery_secret_digest")),
    )
    op.create_table(
        "reproofing",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_by", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=True),
        sa.Column("pairing", sa.String(length=8), nullable=True),
        sa.Column("objection_digest", sa.String(length=64), nullable=True),
        sa.Column("challenge_id", sa.String(length=32), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("shown_at", UtcDateTime(), nullable=True),
        sa.Column("serves_from", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reproofing_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reproofing")),
        sa.UniqueConstraint("objection_digest", name=op.f("uq_reproofing_objection_digest")),
    )
    op.create_table(
        "security_notice",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("batch", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_security_notice_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_notice")),
    )
    op.create_table(
        "allowance",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_allowance")),
    )
    op.create_table(
        "contact_point",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("bounced_at", UtcDateTime(), nullable=True),
        sa.Column("bounce_status", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_contact_point")),
    )
    for table, column in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    for table in ("contact_point", "allowance", "security_notice", "reproofing", "password_recovery"):
        op.drop_table(table)
