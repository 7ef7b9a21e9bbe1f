"""first tables.

Revision: 0001, after nothing
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("catalogue_version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agency")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("enterprise_id", sa.String(length=32), nullable=True),
        sa.Column("file_id", sa.String(length=32), nullable=True),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("agency_id", sa.String(length=32), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("position", name=op.f("uq_audit_entry_position")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_enterprise_at", ["enterprise_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_file_id"), ["file_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_person_id"), ["person_id"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("text_version", sa.String(length=16), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index("ix_consent_person_agency", ["person_id", "agency_id"], unique=False)

    op.create_table(
        "enrolment_file",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("state_since", UtcDateTime(), nullable=False),
        sa.Column("deadline_at", UtcDateTime(), nullable=True),
        sa.Column("neq", sa.String(length=10), nullable=True),
        sa.Column("enterprise_name", sa.String(length=400), nullable=True),
        sa.Column("legal_form", sa.String(length=200), nullable=True),
        sa.Column("neq_confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("has_revenu_quebec_id", sa.Boolean(), nullable=True),
        sa.Column("revenu_quebec_id_sealed", sa.Text(), nullable=True),
        sa.Column("given_name", sa.String(length=100), nullable=True),
        sa.Column("family_name", sa.String(length=100), nullable=True),
        sa.Column("birth_date_sealed", sa.Text(), nullable=True),
        sa.Column("position", sa.String(length=32), nullable=True),
        sa.Column("basis", sa.String(length=16), nullable=True),
        sa.Column("notice_number_sealed", sa.Text(), nullable=True),
        sa.Column("notice_year", sa.Integer(), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("email_confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("terms_version", sa.String(length=16), nullable=True),
        sa.Column("terms_language", sa.String(length=2), nullable=True),
        sa.Column("terms_digest", sa.String(length=64), nullable=True),
        sa.Column("terms_accepted_at", UtcDateTime(), nullable=True),
        sa.Column("submitted_at", UtcDateTime(), nullable=True),
        sa.Column("check_leased_until", UtcDateTime(), nullable=True),
        sa.Column("correction_asked", sa.Boolean(), nullable=False),
        sa.Column("document_wanted", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("public_facts", sa.JSON(), nullable=False),
        sa.Column("verification_method", sa.String(length=16), nullable=True),
        sa.Column("verified_at", UtcDateTime(), nullable=True),
        sa.Column("verified_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("refusal_reason", sa.String(length=32), nullable=True),
        sa.Column("review_note", sa.Text(), nullable=True),
        sa.Column("proposed_by", sa.String(length=32), nullable=True),
        sa.Column("proposed_at", UtcDateTime(), nullable=True),
        sa.Column("contested_because", sa.Text(), nullable=True),
        sa.Column("enterprise_id", sa.String(length=32), nullable=True),
        sa.Column("representative_id", sa.String(length=32), nullable=True),
        sa.Column("representative_code", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_file")),
        sa.UniqueConstraint("number", name=op.f("uq_enrolment_file_number")),
    )
    with op.batch_alter_table("enrolment_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_file_neq"), ["neq"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_file_representative_id"), ["representative_id"], unique=False)
        batch_op.create_index("ix_enrolment_file_state_deadline", ["state", "deadline_at"], unique=False)

    op.create_table(
        "enterprise",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("neq", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sort_name", sa.Text(), nullable=False),
        sa.Column("legal_form", sa.Text(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("roster_revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        sa.UniqueConstraint("neq", name=op.f("uq_enterprise_neq")),
    )
    op.create_table(
        "guess_counter",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_guess_counter")),
    )
    op.create_table(
        "import_head",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_import_head")),
    )
    op.create_table(
        "import_run",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("generation", name=op.f("pk_import_run")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_message_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "person",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("family_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_sign_in_at", UtcDateTime(), nullable=True),
        sa.Column("previous_sign_in_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_table(
        "register_enterprise",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("neq", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=2), nullable=False),
        sa.Column("status_date", sa.Date(), nullable=True),
        sa.Column("legal_form", sa.Text(), nullable=False),
        sa.Column("bankrupt", sa.Boolean(), nullable=False),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=False),
        sa.Column("line3", sa.Text(), nullable=False),
        sa.Column("line4", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "neq", name=op.f("pk_register_enterprise")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_establishment",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("neq", sa.String(length=10), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("line1", sa.Text(), nullable=False),
        sa.Column("line2", sa.Text(), nullable=False),
        sa.Column("line3", sa.Text(), nullable=False),
        sa.Column("line4", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "neq", "line", name=op.f("pk_register_establishment")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_label",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "type", "code", name=op.f("pk_register_label")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_merger",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("component", sa.String(length=10), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "component", "line", name=op.f("pk_register_merger")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "register_name",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("neq", sa.String(length=10), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("foreign_name", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=1), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("began_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("generation", "neq", "line", name=op.f("pk_register_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "relying_party",
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_relying_party")),
    )
    with op.batch_alter_table("relying_party", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_relying_party_agency_id"), ["agency_id"], unique=False)

    op.create_table(
        "tax_account",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("number_digest", sa.String(length=64), nullable=False),
        sa.Column("pair_digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "id", name=op.f("pk_tax_account")),
    )
    with op.batch_alter_table("tax_account", schema=None) as batch_op:
        batch_op.create_index("ix_tax_account_number", ["generation", "number_digest"], unique=False)
        batch_op.create_index("ix_tax_account_pair", ["generation", "pair_digest"], unique=False)

    op.create_table(
        "tax_notice",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("generation", "account_id", "digest", name=op.f("pk_tax_notice")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "authorization_grant",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("sid", sa.String(length=32), nullable=False),
        sa.Column("auth_time", UtcDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=64), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("code_expires_at", UtcDateTime(), nullable=False),
        sa.Column("code_used_at", UtcDateTime(), nullable=True),
        sa.Column("cnf", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("session_ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_authorization_grant_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_grant")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_authorization_grant_code_digest")),
    )
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.create_index("ix_authorization_grant_person_agency", ["person_id", "agency_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_authorization_grant_sid"), ["sid"], unique=False)

    op.create_table(
        "backchannel_logout",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("removal_id", sa.String(length=32), nullable=True),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("sid", sa.String(length=32), nullable=False),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_backchannel_logout_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backchannel_logout")),
        sa.UniqueConstraint("cause", "client_id", "sid", name=op.f("uq_backchannel_logout_cause")),
    )
    op.create_table(
        "challenge",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_challenge_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_challenge_secret_digest")),
    )
    with op.batch_alter_table("challenge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_challenge_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_challenge_user_code"), ["user_code"], unique=False)

    op.create_table(
        "enrolment_attempt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("neq", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_attempt_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_attempt")),
    )
    with op.batch_alter_table("enrolment_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_attempt_file_id"), ["file_id"], unique=False)
        batch_op.create_index("ix_enrolment_attempt_neq_at", ["neq", "at"], unique=False)

    op.create_table(
        "enrolment_email_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sent_to", sa.String(length=254), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_email_code_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_email_code")),
    )
    with op.batch_alter_table("enrolment_email_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_email_code_file_id"), ["file_id"], unique=False)

    op.create_table(
        "enrolment_event",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_event_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_event")),
    )
    with op.batch_alter_table("enrolment_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_event_file_id"), ["file_id"], unique=False)

    op.create_table(
        "enrolment_evidence",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("wiped_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_evidence_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_evidence")),
    )
    with op.batch_alter_table("enrolment_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_evidence_file_id"), ["file_id"], unique=False)

    op.create_table(
        "enrolment_mailed_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ordered_at", UtcDateTime(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("killed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_mailed_code_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_mailed_code")),
    )
    with op.batch_alter_table("enrolment_mailed_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_mailed_code_file_id"), ["file_id"], unique=False)

    op.create_table(
        "enrolment_nominee",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("is_representative", sa.Boolean(), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=True),
        sa.Column("family_name", sa.String(length=100), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("user_code", sa.String(length=8), nullable=True),
        sa.Column("slip_collected_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_nominee_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_nominee")),
    )
    with op.batch_alter_table("enrolment_nominee", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_nominee_file_id"), ["file_id"], unique=False)

    op.create_table(
        "enterprise_verification",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("verified_at", UtcDateTime(), nullable=False),
        sa.Column("verified_by", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("authorized_representative", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_verification_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_verification")),
        sa.UniqueConstraint("enterprise_id", name=op.f("uq_enterprise_verification_enterprise_id")),
    )
    op.create_table(
        "interaction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("browser_digest", sa.String(length=64), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.Column("chosen", sa.String(length=32), nullable=True),
        sa.Column("consented_for", sa.String(length=32), nullable=True),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_interaction_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction")),
    )
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interaction_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("user_code", sa.String(length=16), nullable=False),
        sa.Column("appointed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_membership_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_membership_one_ar",
            ["enterprise_id"],
            unique=True,
            sqlite_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
            postgresql_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
        )
        batch_op.create_index(
            "uq_membership_person_role",
            ["enterprise_id", "person_id", "role"],
            unique=True,
            sqlite_where=sa.text("status <> 'removed'"),
            postgresql_where=sa.text("status <> 'removed'"),
        )

    op.create_table(
        "operator",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=True),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_operator_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_operator")),
    )
    op.create_table(
        "password",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("hash", sa.String(length=255), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_password_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_password")),
    )
    op.create_table(
        "projection",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("changes_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_projection_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("person_id", "enterprise_id", "agency_id", name=op.f("pk_projection")),
    )
    with op.batch_alter_table("projection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_projection_changes_at"), ["changes_at"], unique=False)

    op.create_table(
        "removal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("sessions", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["enterprise_id"], ["enterprise.id"], name=op.f("fk_removal_enterprise_id_enterprise")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removal")),
    )
    with op.batch_alter_table("removal", schema=None) as batch_op:
        batch_op.create_index("ix_removal_enterprise_at", ["enterprise_id", "at"], unique=False)

    op.create_table(
        "rights_revision",
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_rights_revision_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("enterprise_id", "agency_id", name=op.f("pk_rights_revision")),
    )
    op.create_table(
        "sign_in",
        sa.Column("sid", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("auth_time", UtcDateTime(), nullable=False),
        sa.Column("acr", sa.String(length=64), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=True),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id_person")),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_sign_in_secret_digest")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("questionnaire_version", sa.String(length=64), nullable=False),
        sa.Column("consent_version", sa.String(length=64), nullable=False),
        sa.Column("consent_digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("requested_by", sa.String(length=32), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_subscription_agency_id_agency")),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_subscription_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_agency_state", ["agency_id", "state"], unique=False)
        batch_op.create_index("uq_subscription_enterprise_agency", ["enterprise_id", "agency_id"], unique=True)

    op.create_table(
        "totp_device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_totp_device_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_device")),
    )
    with op.batch_alter_table("totp_device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_totp_device_person_id"), ["person_id"], unique=False)

    op.create_table(
        "user_code",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=True),
        sa.Column("pairing", sa.String(length=8), nullable=True),
        sa.Column("revealed_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.Column("first_used_at", UtcDateTime(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_user_code_person_id_person")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_user_code")),
    )
    with op.batch_alter_table("user_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_code_person_id"), ["person_id"], unique=False)

    op.create_table(
        "block_grant",
        sa.Column("id", sa.String(length=34), nullable=False),
        sa.Column("membership_id", sa.String(length=32), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("block", sa.String(length=3), nullable=False),
        sa.Column("not_before", UtcDateTime(), nullable=False),
        sa.Column("not_after", UtcDateTime(), nullable=False),
        sa.Column("granted_by", sa.String(length=64), nullable=False),
        sa.Column("granted_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_block_grant_membership_id_membership")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_grant")),
    )
    with op.batch_alter_table("block_grant", schema=None) as batch_op:
        batch_op.create_index("ix_block_grant_member_agency", ["membership_id", "agency_id"], unique=False)

    op.create_table(
        "email_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("challenge_id", sa.String(length=32), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["challenge_id"], ["challenge.id"], name=op.f("fk_email_code_challenge_id_challenge")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_code")),
    )
    with op.batch_alter_table("email_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_email_code_challenge_id"), ["challenge_id"], unique=False)

    op.create_table(
        "subscription_event",
        sa.Column("subscription_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("event", sa.String(length=24), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_event_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("subscription_id", "revision", name=op.f("pk_subscription_event")),
    )


def downgrade() -> None:
    op.drop_table("subscription_event")
    with op.batch_alter_table("email_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_email_code_challenge_id"))

    op.drop_table("email_code")
    with op.batch_alter_table("block_grant", schema=None) as batch_op:
        batch_op.drop_index("ix_block_grant_member_agency")

    op.drop_table("block_grant")
    with op.batch_alter_table("user_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_code_person_id"))

    op.drop_table("user_code")
    with op.batch_alter_table("totp_device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_totp_device_person_id"))

    op.drop_table("totp_device")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("uq_subscription_enterprise_agency")
        batch_op.drop_index("ix_subscription_agency_state")

    op.drop_table("subscription")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_person_id"))

    op.drop_table("sign_in")
    op.drop_table("rights_revision")
    with op.batch_alter_table("removal", schema=None) as batch_op:
        batch_op.drop_index("ix_removal_enterprise_at")

    op.drop_table("removal")
    with op.batch_alter_table("projection", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_projection_changes_at"))

    op.drop_table("projection")
    op.drop_table("password")
    op.drop_table("operator")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_membership_person_role",
            sqlite_where=sa.text("status <> 'removed'"),
            postgresql_where=sa.text("status <> 'removed'"),
        )
        batch_op.drop_index(
            "uq_membership_one_ar",
            sqlite_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
            postgresql_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
        )
        batch_op.drop_index(batch_op.f("ix_membership_person_id"))

    op.drop_table("membership")
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interaction_expires_at"))

    op.drop_table("interaction")
    op.drop_table("enterprise_verification")
    with op.batch_alter_table("enrolment_nominee", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_nominee_file_id"))

    op.drop_table("enrolment_nominee")
    with op.batch_alter_table("enrolment_mailed_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_mailed_code_file_id"))

    op.drop_table("enrolment_mailed_code")
    with op.batch_alter_table("enrolment_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_evidence_file_id"))

    op.drop_table("enrolment_evidence")
    with op.batch_alter_table("enrolment_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_event_file_id"))

    op.drop_table("enrolment_event")
    with op.batch_alter_table("enrolment_email_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrolment_email_code_file_id"))

    op.drop_table("enrolment_email_code")
    with op.batch_alter_table("enrolment_attempt", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolment_attempt_neq_at")
        batch_op.drop_index(batch_op.f("ix_enrolment_attempt_file_id"))

    op.drop_table("enrolment_attempt")
    with op.batch_alter_table("challenge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_challenge_user_code"))
        batch_op.drop_index(batch_op.f("ix_challenge_person_id"))

    op.drop_table("challenge")
    op.drop_table("backchannel_logout")
    with op.batch_alter_table("authorization_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_authorization_grant_sid"))
        batch_op.drop_index("ix_authorization_grant_person_agency")

    op.drop_table("authorization_grant")
    op.drop_table("tax_notice")
    with op.batch_alter_table("tax_account", schema=None) as batch_op:
        batch_op.drop_index("ix_tax_account_pair")
        batch_op.drop_index("ix_tax_account_number")

    op.drop_table("tax_account")
    with op.batch_alter_table("relying_party", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_relying_party_agency_id"))

    op.drop_table("relying_party")
    op.drop_table("register_name")
    op.drop_table("register_merger")
    op.drop_table("register_label")
    op.drop_table("register_establishment")
    op.drop_table("register_enterprise")
    op.drop_table("person")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_message_state_due_at")

    op.drop_table("outbox_message")
    op.drop_table("import_run")
    op.drop_table("import_head")
    op.drop_table("guess_counter")
    op.drop_table("enterprise")
    with op.batch_alter_table("enrolment_file", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolment_file_state_deadline")
        batch_op.drop_index(batch_op.f("ix_enrolment_file_representative_id"))
        batch_op.drop_index(batch_op.f("ix_enrolment_file_neq"))

    op.drop_table("enrolment_file")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_person_agency")

    op.drop_table("consent")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entry_person_id"))
        batch_op.drop_index(batch_op.f("ix_audit_entry_file_id"))
        batch_op.drop_index("ix_audit_entry_enterprise_at")

    op.drop_table("audit_entry")
    op.drop_table("agency")
