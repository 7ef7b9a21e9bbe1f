"""Every table of release 0.1.0.

Revision: 0001, the first
"""

import sqlalchemy as sa
from alembic import op

from idp.db import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "agency",
    "alarm",
    "allowance",
    "audit_entry",
    "audit_head",
    "consent",
    "contact_point",
    "enrolment_file",
    "enterprise",
    "failed_tries",
    "guess_counter",
    "import_head",
    "import_run",
    "initial_access_token",
    "outbox_message",
    "person",
    "register_enterprise",
    "register_establishment",
    "register_label",
    "register_merger",
    "register_name",
    "relying_party",
    "replay_id",
    "tax_account",
    "tax_notice",
    "authorization_grant",
    "backchannel_logout",
    "challenge",
    "enrolment_attempt",
    "enrolment_browser",
    "enrolment_email_code",
    "enrolment_event",
    "enrolment_evidence",
    "enrolment_mailed_code",
    "enrolment_nominee",
    "enterprise_verification",
    "event_stream",
    "interaction",
    "kept_form",
    "known_browser",
    "membership",
    "name_change",
    "operator",
    "passkey",
    "passkey_ceremony",
    "passkey_owner",
    "password",
    "password_recovery",
    "projection",
    "pushed_request",
    "question",
    "recovery_code",
    "removal",
    "reproofing",
    "rights_revision",
    "security_notice",
    "sign_in",
    "software_approval",
    "subscription",
    "totp_device",
    "user_code",
    "access_request",
    "block_grant",
    "email_change",
    "email_code",
    "event_stream_removed_subject",
    "security_event",
    "subscription_change",
    "subscription_event",
)  # those that others refer to come first


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
        "alarm",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_alarm")),
    )
    op.create_table(
        "allowance",
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("taken", sa.JSON(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_allowance")),
    )
    op.create_index(op.f("ix_allowance_changed_at"), "allowance", ["changed_at"], unique=False)
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
    op.create_index("ix_audit_entry_enterprise_at", "audit_entry", ["enterprise_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_entry_file_id"), "audit_entry", ["file_id"], unique=False)
    op.create_index(op.f("ix_audit_entry_person_id"), "audit_entry", ["person_id"], unique=False)
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
        sa.Column("claims", sa.JSON(), nullable=True),
        sa.Column("blocks", sa.JSON(), nullable=True),
        sa.Column("text_version", sa.String(length=16), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_person_agency", "consent", ["person_id", "agency_id"], unique=False)
    op.create_table(
        "contact_point",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("bounced_at", UtcDateTime(), nullable=True),
        sa.Column("bounce_status", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_contact_point")),
    )
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
    op.create_index(op.f("ix_enrolment_file_neq"), "enrolment_file", ["neq"], unique=False)
    op.create_index(op.f("ix_enrolment_file_representative_id"), "enrolment_file", ["representative_id"], unique=False)
    op.create_index("ix_enrolment_file_state_deadline", "enrolment_file", ["state", "deadline_at"], unique=False)
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
        sa.Column("register_entry", sa.JSON(), nullable=True),
        sa.Column("register_read_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise")),
        sa.UniqueConstraint("neq", name=op.f("uq_enterprise_neq")),
    )
    op.create_table(
        "failed_tries",
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", name=op.f("pk_failed_tries")),
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
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("subject_digest", sa.String(length=64), nullable=True),
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
    op.create_index("ix_outbox_message_state_due_at", "outbox_message", ["state", "due_at"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("family_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("required_level", sa.Integer(), server_default="2", nullable=False),
        sa.Column("access", sa.String(length=16), server_default="open", nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
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
        sa.Column("registered_at", UtcDateTime(), nullable=True),
        sa.Column("registration_digest", sa.String(length=64), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_relying_party")),
    )
    op.create_index(op.f("ix_relying_party_agency_id"), "relying_party", ["agency_id"], unique=False)
    op.create_table(
        "replay_id",
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("identifier_digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "identifier_digest", name=op.f("pk_replay_id")),
    )
    op.create_index(op.f("ix_replay_id_expires_at"), "replay_id", ["expires_at"], unique=False)
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
    op.create_index("ix_tax_account_number", "tax_account", ["generation", "number_digest"], unique=False)
    op.create_index("ix_tax_account_pair", "tax_account", ["generation", "pair_digest"], unique=False)
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
        sa.Column("claims", sa.JSON(), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("code_challenge", sa.String(length=43), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("code_expires_at", UtcDateTime(), nullable=False),
        sa.Column("code_used_at", UtcDateTime(), nullable=True),
        sa.Column("dpop_jkt", sa.String(length=43), nullable=True),
        sa.Column("cnf", sa.JSON(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("session_ended_at", UtcDateTime(), nullable=True),
        sa.Column("offline_until", UtcDateTime(), nullable=True),
        sa.Column("refresh_digest", sa.String(length=64), nullable=True),
        sa.Column("refresh_generation", sa.Integer(), nullable=False),
        sa.Column("refreshed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["relying_party.client_id"], name=op.f("fk_authorization_grant_client_id_relying_party")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_grant")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_authorization_grant_code_digest")),
        sa.UniqueConstraint("refresh_digest", name=op.f("uq_authorization_grant_refresh_digest")),
    )
    op.create_index(op.f("ix_authorization_grant_created_at"), "authorization_grant", ["created_at"], unique=False)
    op.create_index(
        "ix_authorization_grant_person_agency", "authorization_grant", ["person_id", "agency_id"], unique=False
    )
    op.create_index(op.f("ix_authorization_grant_sid"), "authorization_grant", ["sid"], unique=False)
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
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("user_code", sa.String(length=8), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("answer_digest", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_challenge_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_challenge_secret_digest")),
    )
    op.create_index(op.f("ix_challenge_person_id"), "challenge", ["person_id"], unique=False)
    op.create_index(op.f("ix_challenge_user_code"), "challenge", ["user_code"], unique=False)
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
    op.create_index(op.f("ix_enrolment_attempt_file_id"), "enrolment_attempt", ["file_id"], unique=False)
    op.create_index("ix_enrolment_attempt_neq_at", "enrolment_attempt", ["neq", "at"], unique=False)
    op.create_table(
        "enrolment_browser",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["enrolment_file.id"], name=op.f("fk_enrolment_browser_file_id_enrolment_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_browser")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_enrolment_browser_secret_digest")),
    )
    op.create_index(op.f("ix_enrolment_browser_expires_at"), "enrolment_browser", ["expires_at"], unique=False)
    op.create_index(op.f("ix_enrolment_browser_file_id"), "enrolment_browser", ["file_id"], unique=False)
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
    op.create_index(op.f("ix_enrolment_email_code_file_id"), "enrolment_email_code", ["file_id"], unique=False)
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
    op.create_index(op.f("ix_enrolment_event_file_id"), "enrolment_event", ["file_id"], unique=False)
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
    op.create_index(op.f("ix_enrolment_evidence_file_id"), "enrolment_evidence", ["file_id"], unique=False)
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
    op.create_index(op.f("ix_enrolment_mailed_code_file_id"), "enrolment_mailed_code", ["file_id"], unique=False)
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
    op.create_index(op.f("ix_enrolment_nominee_file_id"), "enrolment_nominee", ["file_id"], unique=False)
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
        sa.Column("given_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("family_name", sa.String(length=100), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_enterprise_verification_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_verification")),
        sa.UniqueConstraint("enterprise_id", name=op.f("uq_enterprise_verification_enterprise_id")),
    )
    op.create_table(
        "event_stream",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("agency_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=True),
        sa.Column("authorization", sa.Text(), nullable=True),
        sa.Column("events", sa.JSON(none_as_null=True), nullable=True),
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
    op.create_index(op.f("ix_event_stream_agency_id"), "event_stream", ["agency_id"], unique=False)
    op.create_table(
        "interaction",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("request", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("redirect_uri", sa.Text(), nullable=True),
        sa.Column("response_mode", sa.String(length=20), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
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
    op.create_index(op.f("ix_interaction_expires_at"), "interaction", ["expires_at"], unique=False)
    op.create_table(
        "kept_form",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("sid", sa.String(length=32), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_kept_form_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_form")),
    )
    op.create_index(op.f("ix_kept_form_expires_at"), "kept_form", ["expires_at"], unique=False)
    op.create_index(op.f("ix_kept_form_person_id"), "kept_form", ["person_id"], unique=False)
    op.create_table(
        "known_browser",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_known_browser_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browser")),
        sa.UniqueConstraint("person_id", "secret_digest", name=op.f("uq_known_browser_person_id")),
    )
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
        sa.Column("given_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("family_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("email", sa.String(length=254), server_default="", nullable=False),
        sa.Column("vouched_given_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("vouched_family_name", sa.String(length=100), server_default="", nullable=False),
        sa.Column("vouched_at", UtcDateTime(), nullable=True),
        sa.Column("phone", sa.String(length=32), server_default="", nullable=False),
        sa.Column("position", sa.String(length=32), server_default="", nullable=False),
        sa.Column("sort_name", sa.String(length=210), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_membership_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_person_id"), "membership", ["person_id"], unique=False)
    op.create_index(
        "ix_membership_enterprise_sort_name", "membership", ["enterprise_id", "sort_name", "id"], unique=False
    )
    op.create_index(
        "uq_membership_one_ar",
        "membership",
        ["enterprise_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
        postgresql_where=sa.text("status <> 'removed' AND role = 'authorized_representative'"),
    )
    op.create_index(
        "uq_membership_person_role",
        "membership",
        ["enterprise_id", "person_id", "role"],
        unique=True,
        sqlite_where=sa.text("status <> 'removed'"),
        postgresql_where=sa.text("status <> 'removed'"),
    )
    op.create_table(
        "name_change",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("former_given_name", sa.String(length=100), nullable=False),
        sa.Column("former_family_name", sa.String(length=100), nullable=False),
        sa.Column("given_name", sa.String(length=100), nullable=False),
        sa.Column("family_name", sa.String(length=100), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_name_change_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_change")),
    )
    op.create_index(op.f("ix_name_change_person_id"), "name_change", ["person_id"], unique=False)
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
        "passkey",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("aaguid", sa.String(length=36), nullable=False),
        sa.Column("transports", sa.JSON(), nullable=False),
        sa.Column("may_be_backed_up", sa.Boolean(), nullable=False),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_passkey_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_person_id"), "passkey", ["person_id"], unique=False)
    op.create_table(
        "passkey_ceremony",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("secret_digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=True),
        sa.Column("challenge", sa.String(length=43), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_passkey_ceremony_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_ceremony")),
        sa.UniqueConstraint("secret_digest", name=op.f("uq_passkey_ceremony_secret_digest")),
    )
    op.create_index(op.f("ix_passkey_ceremony_expires_at"), "passkey_ceremony", ["expires_at"], unique=False)
    op.create_index(op.f("ix_passkey_ceremony_person_id"), "passkey_ceremony", ["person_id"], unique=False)
    op.create_table(
        "passkey_owner",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("handle", sa.String(length=43), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_passkey_owner_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_passkey_owner")),
        sa.UniqueConstraint("handle", name=op.f("uq_passkey_owner_handle")),
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
    op.create_index(op.f("ix_password_recovery_expires_at"), "password_recovery", ["expires_at"], unique=False)
    op.create_index(op.f("ix_password_recovery_person_id"), "password_recovery", ["person_id"], unique=False)
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
    op.create_index(op.f("ix_projection_changes_at"), "projection", ["changes_at"], unique=False)
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
    op.create_index(op.f("ix_pushed_request_expires_at"), "pushed_request", ["expires_at"], unique=False)
    op.create_table(
        "question",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("enterprise_id", sa.String(length=32), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_question_enterprise_id_enterprise")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index(op.f("ix_question_asked_at"), "question", ["asked_at"], unique=False)
    op.create_index("ix_question_enterprise_asked_at", "question", ["enterprise_id", "asked_at"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("code_digest", name=op.f("uq_recovery_code_code_digest")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"], unique=False)
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
    op.create_index("ix_removal_enterprise_at", "removal", ["enterprise_id", "at"], unique=False)
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
    op.create_index(op.f("ix_reproofing_person_id"), "reproofing", ["person_id"], unique=False)
    op.create_index(op.f("ix_reproofing_user_code"), "reproofing", ["user_code"], unique=False)
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
    op.create_index(op.f("ix_security_notice_at"), "security_notice", ["at"], unique=False)
    op.create_index(op.f("ix_security_notice_batch"), "security_notice", ["batch"], unique=False)
    op.create_index(op.f("ix_security_notice_person_id"), "security_notice", ["person_id"], unique=False)
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
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"], unique=False)
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
    op.create_index(op.f("ix_software_approval_client_id"), "software_approval", ["client_id"], unique=False)
    op.create_index(
        "uq_software_approval_enterprise_client",
        "software_approval",
        ["enterprise_id", "client_id"],
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
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
    op.create_index("ix_subscription_agency_state", "subscription", ["agency_id", "state"], unique=False)
    op.create_index("uq_subscription_enterprise_agency", "subscription", ["enterprise_id", "agency_id"], unique=True)
    op.create_table(
        "totp_device",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("nickname", sa.String(length=60), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_totp_device_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_totp_device")),
    )
    op.create_index(op.f("ix_totp_device_person_id"), "totp_device", ["person_id"], unique=False)
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
    op.create_index(op.f("ix_user_code_person_id"), "user_code", ["person_id"], unique=False)
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
        sa.ForeignKeyConstraint(["agency_id"], ["agency.id"], name=op.f("fk_access_request_agency_id_agency")),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("fk_access_request_enterprise_id_enterprise")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_access_request_membership_id_membership")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
    )
    op.create_index(
        "ix_access_request_enterprise", "access_request", ["enterprise_id", "state", "asked_at"], unique=False
    )
    op.create_index("ix_access_request_person", "access_request", ["person_id", "asked_at"], unique=False)
    op.create_index("ix_access_request_state", "access_request", ["state", "expires_at"], unique=False)
    op.create_index(
        "uq_access_request_open",
        "access_request",
        ["membership_id", "agency_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
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
    op.create_index("ix_block_grant_member_agency", "block_grant", ["membership_id", "agency_id"], unique=False)
    op.create_table(
        "email_change",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("former", sa.String(length=254), nullable=False),
        sa.Column("wanted", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("undo_digest", sa.String(length=64), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["challenge.id"], name=op.f("fk_email_change_id_challenge")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_email_change_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_change")),
        sa.UniqueConstraint("undo_digest", name=op.f("uq_email_change_undo_digest")),
    )
    op.create_index(op.f("ix_email_change_person_id"), "email_change", ["person_id"], unique=False)
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
    op.create_index(op.f("ix_email_code_challenge_id"), "email_code", ["challenge_id"], unique=False)
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
    op.create_index(op.f("ix_security_event_queued_at"), "security_event", ["queued_at"], unique=False)
    op.create_index(op.f("ix_security_event_removal_id"), "security_event", ["removal_id"], unique=False)
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
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_subscription_change_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("subscription_id", "revision", name=op.f("pk_subscription_change")),
    )
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
    for table in reversed(_TABLES):
        op.drop_table(table)
