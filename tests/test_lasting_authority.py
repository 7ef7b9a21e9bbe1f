"""A secret that a cookie, a link or a form carries has a row on the server, with an end and a way to end it before.

The tables below are whole: a new cookie, entry of the page session, link with a secret or signed text that is not in them fails.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from idp.accounts.challenges import challenge_services
from idp.accounts.challenges.models import EmailChange, KnownBrowser
from idp.accounts.models import Challenge, PasskeyCeremony, SignInRow
from idp.accounts.people import email_change_services
from idp.accounts.recovery import recovery_services, reproofing_services
from idp.accounts.recovery.models import PasswordRecovery, Reproofing
from idp.accounts.sessions import known_browser_services, session_services
from idp.accounts.sessions.cookies import cookie_name, known_name
from idp.db import Base
from idp.enrollment import browser_services
from idp.enrollment.models import FileBrowser
from idp.oidc.authorization import interaction_services
from idp.oidc.models import InteractionRow

SOURCES = Path(__file__).parents[1] / "idp"


@dataclass(frozen=True)
class Row:
    """Where the digest of a secret is kept, the columns that end it, and what ends it before its time."""

    model: type[Base]
    digest: str
    ends: tuple[str, ...]
    revoked_by: object


CHALLENGE = Row(Challenge, "secret_digest", ("expires_at", "ended_at"), challenge_services.end)
COOKIES = {
    "mandat": Row(SignInRow, "secret_digest", ("expires_at", "ended_at"), session_services.end_sign_in),
    "mandat-browser": Row(KnownBrowser, "secret_digest", ("expires_at", "revoked_at"), known_browser_services.forget),
    "mandat-page": "the page session: its entries are the next table",
}
NUMBERED: dict[str, Row] = {  # the cookies of what is under way, each with its number (idp/http/bindings.py)
    **dict.fromkeys(("sign-in", "activation", "opening", "freeze", "thaw", "email-change"), CHALLENGE),
    "passkey": Row(PasskeyCeremony, "secret_digest", ("expires_at", "used_at"), "forgotten by the next challenge"),
    "recovery": Row(PasswordRecovery, "secret_digest", ("expires_at", "state"), recovery_services.give_up),
    "objection": Row(Reproofing, "objection_digest", ("expires_at", "ended_at"), reproofing_services.object_to),
    "interaction": Row(InteractionRow, "browser_digest", ("expires_at",), interaction_services.forget_old),
}
PAGE_SESSION: dict[str, Row | str] = {
    "new_application": CHALLENGE,
    "enrolment_browser": Row(FileBrowser, "secret_digest", ("expires_at", "ended_at"), browser_services.leave),
    "enrolment_number": "the number typed, which opens nothing without the code sent by e-mail",
    "activation_linked": "that a page of thanks is to be shown",
    "whose": "a digest by which a change of person is noticed",
    "lang": "the language",
    "ASKED_LANGUAGE": "the language that an agency asked for",
    "oidc_came_from": "the number of an interaction, which is worth nothing without its own cookie",
    "oidc_farewell": "which agencies are told of a sign-out that has happened, for five minutes",
    "oidc_logout": "where a sign-out leads, once the person agrees",
    "oidc_playground": "a request of the playground under way: its answer proves itself",
    "draft": "answers typed (delegation.drafts), kept for the next page of a person who is signed in",
}
LINKS = {
    "idp/support/services.py": CHALLENGE,
    "idp/accounts/recovery/reproofing_services.py": NUMBERED["objection"],
}
TYPED_FROM_A_MAIL = Row(EmailChange, "undo_digest", ("confirmed_at", "undone_at"), email_change_services.forget)
SIGNED_TEXTS = {
    "idp/http/web.py": "the page session",
    "idp/delegation/rights/domain/previews.py": "what a preview showed: valid for an hour, in the POST of the same person alone",
    "idp/delegation/rights/domain/system_users.py": "what a preview showed: valid for an hour, in the same person's POST",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCES.rglob("*.py")):
        yield f"idp/{path.relative_to(SOURCES)}", ast.parse(path.read_text())


def _pairs(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def entries_of_the_page_session() -> set[str]:
    """Return the names under which something is put into ``session``, constants resolved."""
    found = set()
    for _name, tree in modules():
        constants = {
            ast.unparse(name): value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for name, value in _pairs(node)
            if isinstance(value, ast.Constant)
        }
        for node in ast.walk(tree):
            for target in node.targets if isinstance(node, ast.Assign) else ():
                if isinstance(target, ast.Subscript) and ast.unparse(target.value) == "session":
                    key = target.slice
                    found.add(
                        str(
                            key.value
                            if isinstance(key, ast.Constant)
                            else constants.get(ast.unparse(key), ast.unparse(key))
                        )
                    )
    return found


def test_every_cookie_is_in_the_table(app: Flask) -> None:
    """Two places write cookies, beside the page session; their names are known, and those with a number are below."""
    with app.test_request_context():
        names = {cookie_name(), known_name(), str(app.config["SESSION_COOKIE_NAME"])}
    writers = {name for name, tree in modules() if "set_cookie(" in ast.unparse(tree)}

    assert names == COOKIES.keys()
    assert writers == {"idp/accounts/sessions/cookies.py", "idp/http/bindings.py"}


def test_every_entry_of_the_page_session_is_in_the_table() -> None:
    """What the page session keeps has a row, or opens nothing and says why."""
    assert entries_of_the_page_session() == PAGE_SESSION.keys()


def test_every_numbered_cookie_is_in_the_table() -> None:
    """A kind of thing under way comes with its row."""
    found = {kind for _name, tree in modules() for kind in re.findall(r"\bBindingKind\('([\w-]+)'", ast.unparse(tree))}

    assert found == NUMBERED.keys()


def test_every_link_with_a_secret_is_in_the_table() -> None:
    """A secret leaves in a link from two places."""
    found = {name for name, tree in modules() if re.search(r"absolute_url\(f[\"'][^)]*token=", ast.unparse(tree))}

    assert found == LINKS.keys()


def test_every_signed_text_is_in_the_table() -> None:
    """A signature alone opens nothing: each use of one says what else is needed."""
    found = {name for name, tree in modules() if "itsdangerous" in ast.unparse(tree)}

    assert found == SIGNED_TEXTS.keys()


@pytest.mark.parametrize(
    "row",
    {
        row.model.__tablename__ + row.digest: row
        for row in (*COOKIES.values(), *PAGE_SESSION.values(), *NUMBERED.values(), *LINKS.values(), TYPED_FROM_A_MAIL)
        if isinstance(row, Row)
    }.values(),
    ids=lambda row: row.model.__tablename__,
)
def test_every_secret_has_a_row_that_ends(row: Row) -> None:
    """The row is found by a digest, never by the secret; it ends by time, and by somebody's act."""
    columns = row.model.__table__.columns

    assert {row.digest, *row.ends} <= set(columns.keys())
    assert columns[row.digest].type.length == 64  # type: ignore[attr-defined]
    assert callable(row.revoked_by) or row.revoked_by


def test_the_page_session_lasts_no_longer_than_a_day(app: Flask) -> None:
    """It is no permanent cookie, and one that was copied is too old after a day."""
    source = "\n".join(ast.unparse(tree) for _name, tree in modules())

    assert app.permanent_session_lifetime.total_seconds() <= 24 * 3600
    assert "session.permanent" not in source
