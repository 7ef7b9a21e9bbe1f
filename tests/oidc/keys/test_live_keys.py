"""A running provider notices a rotation without a restart, and publishes bytes that are made once."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import jwt as pyjwt
import pytest
from flask import Flask

from idp import audit
from idp.clock import MovableClock
from idp.config import Settings
from idp.oidc.keys import key_acts, key_services
from idp.oidc.keys.domain.key_rotation import KEPT_AFTER, PUBLISHED_BEFORE
from idp.oidc.keys.key_folder import KeyFolder
from idp.oidc.keys.live_keys import LOOKED_AT_EVERY, LiveKeyRing
from idp.oidc.keys.signing_keys import KeyRing, UntrustedTokenError
from idp.oidc.token.issuing import key_ring
from tests.oidc.scenery import RelyingParty

ISSUER = "http://localhost:8000"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """A ring of one's own: the tests of this module change it."""
    shutil.copytree(settings.keys_dir, tmp_path / "keys")
    return settings.model_copy(update={"keys_dir": tmp_path / "keys", "key_rotation_days": 90})


@pytest.fixture
def folder(settings: Settings) -> KeyFolder:
    return KeyFolder.of(settings)


def published(app: Flask) -> set[str]:
    return {key["kid"] for key in app.test_client().get("/jwks").get_json()["keys"]}


def test_an_emergency_is_in_effect_within_a_minute(app: Flask, clock: MovableClock, folder: KeyFolder) -> None:
    """Seconds later the process publishes the new key, signs with it, and refuses what the old one signed (R-30)."""
    old = key_ring().sign({"iss": ISSUER}, alg="ES256", typ="JWT")
    before, seen = published(app), key_ring().signer("ES256").kid
    key_acts.replace_at_once(folder, clock.now(), algs=["ES256"], seen=[seen])
    assert published(app) == before, "the folder is not looked at for each request"

    clock.advance(LOOKED_AT_EVERY)
    assert timedelta(seconds=60) >= LOOKED_AT_EVERY
    assert before - published(app) == {seen}
    assert len(published(app)) == 4
    with pytest.raises(UntrustedTokenError):
        key_ring().read(old, alg="ES256", typ="JWT", issuer=ISSUER)
    token = key_ring().sign({"iss": ISSUER}, alg="ES256", typ="JWT")
    assert pyjwt.get_unverified_header(token)["kid"] in published(app)


def test_a_client_sees_nothing_of_a_rotation(rp: RelyingParty, clock: MovableClock, folder: KeyFolder) -> None:
    """Sign-in and userinfo go on with the old and the new keys; a cached key set is good; its tag changes with it only."""
    browser = rp.scenery.app.test_client()
    first = browser.get("/jwks")
    assert browser.get("/jwks", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    old = rp.token(rp.code(rp.scenery.browser())).get_json()
    key_acts.rotate(folder, clock.now())
    clock.advance(LOOKED_AT_EVERY)
    second = browser.get("/jwks", headers={"If-None-Match": first.headers["ETag"]})
    assert (second.status_code, second.headers["Cache-Control"]) == (200, "public, max-age=3600")
    assert rp.userinfo(old["access_token"]).status_code == 200
    clock.advance(PUBLISHED_BEFORE)
    key_services.rotate_due(clock.now())
    clock.advance(LOOKED_AT_EVERY)

    third, new = browser.get("/jwks").get_json(), rp.token(rp.code(rp.scenery.browser())).get_json()
    assert {key["kid"] for key in third["keys"]} == {key["kid"] for key in second.get_json()["keys"]}
    for token, alg in ((new["id_token"], "RS256"), (new["access_token"], "ES256")):
        kid = pyjwt.get_unverified_header(token)["kid"]
        assert kid not in {key["kid"] for key in first.get_json()["keys"]}
        key = pyjwt.PyJWKSet.from_dict(second.get_json())[kid]
        checks = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        assert pyjwt.decode(token, key, algorithms=[alg], options=checks)["iss"] == ISSUER
    assert rp.userinfo(new["access_token"]).status_code == 200


def test_the_worker_rotates_at_the_age_of_the_settings_and_writes_it_down(
    app: Flask, clock: MovableClock, folder: KeyFolder
) -> None:
    """After 89 days the successors are published, a day later they sign, half a day later the old ones are gone."""
    first = {key.kid for key in folder.read_keys()}
    for wait in (timedelta(days=89), PUBLISHED_BEFORE, KEPT_AFTER):
        key_services.rotate_due(clock.now())
        clock.advance(wait)
        key_services.rotate_due(clock.now())

    assert not first & {key.kid for key in folder.read_keys()}
    told = [entry.details for entry in audit.entries() if entry.event == audit.Event.KEYS_ROTATED.value]
    assert sorted(each["state"] for each in told if each["alg"] == "ES256") == ["active", "next", "removed", "retiring"]
    assert all(each.keys() == {"kid", "alg", "state"} for each in told)


def test_a_folder_is_read_when_it_changes_only(
    folder: KeyFolder, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signing parses nothing and lists nothing between two looks; a look at an unchanged folder reads nothing."""
    ring = LiveKeyRing(folder, clock)
    looks, reads = [], []
    stamp, read = KeyFolder.stamp, KeyFolder.read_keys
    monkeypatch.setattr(KeyFolder, "stamp", lambda self: looks.append(1) or stamp(self))
    monkeypatch.setattr(KeyFolder, "read_keys", lambda self, **given: reads.append(1) or read(self, **given))
    for _ in range(10):
        ring.sign({}, alg="ES256", typ="JWT")
    assert (len(looks), len(reads)) == (0, 0)

    clock.advance(LOOKED_AT_EVERY)
    for _ in range(10):
        ring.sign({}, alg="ES256", typ="JWT")
    assert (len(looks), len(reads)) == (1, 0)


def test_a_damaged_folder_leaves_the_keys_as_they_were(folder: KeyFolder, clock: MovableClock) -> None:
    """A file that does not open is no outage; once it is mended the change is taken up."""
    ring = LiveKeyRing(folder, clock)
    path = folder.path(ring.signer("ES256").kid)
    good = path.read_text()
    path.write_text("{")
    clock.advance(LOOKED_AT_EVERY)
    assert ring.signer("ES256").kid in path.name

    path.write_text(good)
    key_acts.replace_at_once(folder, clock.now(), algs=["ES256"], seen=[ring.signer("ES256").kid])
    clock.advance(LOOKED_AT_EVERY)
    assert ring.signer("ES256").kid not in path.name


def test_sealing_anew_disturbs_nobody(folder: KeyFolder, clock: MovableClock) -> None:
    """The ring reads the new key-encryption key by itself; tokens of before and after verify."""
    ring = LiveKeyRing(folder, clock)
    old = ring.sign({"iss": ISSUER}, alg="PS256", typ="JWT")
    key_acts.rewrap(folder)
    clock.advance(LOOKED_AT_EVERY)

    assert ring.read(old, alg="PS256", typ="JWT", issuer=ISSUER)
    assert KeyRing.of(folder).read(
        ring.sign({"iss": ISSUER}, alg="PS256", typ="JWT"), alg="PS256", typ="JWT", issuer=ISSUER
    )
