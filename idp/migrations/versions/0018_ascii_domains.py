"""e-mail addresses with their domain in ASCII, as they are looked up and as they travel (RFC 5891).

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op
from email_validator import EmailNotValidError, validate_email

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

COLUMNS = (
    ("person", "email"),
    ("contact_point", "address"),
    ("email_change", "former"),
    ("email_change", "wanted"),
    ("enrolment_file", "email"),
    ("enrolment_nominee", "email"),
    ("enrolment_email_code", "sent_to"),
)


def upgrade() -> None:
    connection = op.get_bind()
    for table, column in COLUMNS:
        address = sa.column(column, sa.String)
        rows = sa.table(table, address)
        for (kept,) in connection.execute(sa.select(address).where(address.is_not(None)).distinct()).all():
            ascii_domain = _with_ascii_domain(kept)
            if ascii_domain == kept:
                continue
            is_there = sa.select(address).where(address == ascii_domain)
            if table == "contact_point" and connection.execute(is_there).first():  # the address is its key
                connection.execute(sa.delete(rows).where(address == kept))
            else:
                connection.execute(sa.update(rows).where(address == kept).values({column: ascii_domain}))


def downgrade() -> None:
    """Leave the addresses: an earlier version takes them as they are."""


def _with_ascii_domain(address: str) -> str:
    if address.isascii():
        return address
    try:
        found = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return address
    return f"{found.local_part}@{found.ascii_domain}"
