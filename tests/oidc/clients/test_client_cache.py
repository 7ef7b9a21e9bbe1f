"""A process keeps a client for one second (protocol.md §5): a change elsewhere counts within it, a change here at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import event, update

from idp import audit
from idp.cli.clients import clients as command
from idp.config import Settings
from idp.crypto.sealing import digest
from idp.db import db, transaction
from idp.oidc.clients import client_services
from idp.oidc.models import RelyingPartyRow
from tests.oidc.scenery import RelyingParty, Scenery, load, registration

OTHER_SECRET = "another-secret-of-tests-that-is-long-enough"


def change_elsewhere(**values: object) -> None:
    """Write as another process would: nothing here is told."""
    with transaction() as session:
        session.execute(update(RelyingPartyRow).where(RelyingPartyRow.client_id == "rp1").values(**values))


def test_a_client_removed_elsewhere_is_out_within_a_second(scenery: Scenery, rp: RelyingParty) -> None:
    """Not later than one second after, and a token that it holds is dead at once."""
    browser = scenery.signed_in("julie")
    access_token = rp.tokens(browser)["access_token"]
    change_elsewhere(revoked_at=scenery.clock.now())

    assert rp.userinfo(access_token).status_code == 401
    scenery.clock.advance(timedelta(seconds=1))
    assert client_services.find("rp1") is None
    assert rp.token("x").status_code == 401
    assert rp.authorize(browser).status_code == 400


def test_a_client_removed_here_is_out_at_once(scenery: Scenery, rp: RelyingParty, settings: Settings) -> None:
    """``client_services.revoke``: every grant ends in the same transaction; loading it again brings it back."""
    code = rp.code(scenery.signed_in("julie"))

    assert client_services.revoke("rp1", actor=audit.SYSTEM, now=scenery.clock.now())

    assert rp.token(code).status_code == 401
    assert not client_services.revoke("rp1", actor=audit.SYSTEM, now=scenery.clock.now())
    assert not client_services.revoke("nobody", actor=audit.SYSTEM, now=scenery.clock.now())
    load(scenery.app, scenery.clock, settings.outbox_dir.parent, registration("rp1"))
    assert rp.token(code).get_json()["error"] == "invalid_grant"


def test_a_secret_changed_elsewhere_works_at_once(scenery: Scenery, rp: RelyingParty) -> None:
    """What was kept is not believed when it makes a client fail: it is read again."""
    assert rp.token("x").get_json()["error"] == "invalid_grant"
    change_elsewhere(secret_digest=digest(OTHER_SECRET))

    assert rp.token("x", authorization=rp.basic(OTHER_SECRET)).get_json()["error"] == "invalid_grant"
    assert rp.token("x").status_code == 401


def test_what_is_read_again_is_what_is_stored(scenery: Scenery, rp: RelyingParty, tmp_path: Path) -> None:
    """One statement in a second; a file loaded here counts at once; an unknown client is never kept."""
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    client_services.forget("rp1")
    for _ in range(5):
        client_services.find("rp1")
    assert len([text for text in statements if "relying_party" in text]) == 1

    load(scenery.app, scenery.clock, tmp_path, registration("rp1", client_name="Autre"))

    assert client_services.find("rp1").name == "Autre"  # type: ignore[union-attr]
    assert client_services.find("late") is None
    load(scenery.app, scenery.clock, tmp_path, registration("late"))
    assert client_services.find("late") is not None


def test_a_clock_that_goes_back_keeps_nothing(scenery: Scenery) -> None:
    """A client read "later" than now is read again."""
    scenery.clock.advance(timedelta(hours=1))
    assert client_services.find("rp1") is not None
    change_elsewhere(revoked_at=scenery.clock.now())
    scenery.clock.advance(timedelta(hours=-1))

    assert client_services.find("rp1") is None


def test_the_commands_say_what_they_did(scenery: Scenery, settings: Settings, monkeypatch: object) -> None:
    """``idp clients token | tokens | revoke-token | revoke``, as an operator types them."""
    environment = {
        "IDP_DATABASE_URL": settings.database_url,
        "IDP_KEYS_DIR": str(settings.keys_dir),
        "IDP_ISSUER": settings.issuer,
    }

    def run(*typed: str) -> tuple[int, str]:
        told = CliRunner().invoke(command, list(typed), env=environment)
        return told.exit_code, told.output.strip()

    status, token = run("token", "--agency", "amp", "--uses", "3", "--days", "2")
    assert (status, len(token)) == (0, 43)
    status, listed = run("tokens")
    assert (status, token in listed, "amp  3 left" in listed) == (0, False, True)
    assert run("revoke-token", listed.split()[0]) == (0, f"revoked {listed.split()[0]}")
    assert "revoked" in run("tokens")[1]
    assert run("revoke-token", "x")[0] == 1
    assert run("token", "--agency", "none")[0] == 1
    assert run("token", "--agency", "amp", "--uses", "0")[0] == 2
    assert run("revoke", "rp1") == (0, "removed rp1")
    assert run("revoke", "rp1")[0] == 1
