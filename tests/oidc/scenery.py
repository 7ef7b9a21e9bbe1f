"""An agency, its clients, an enterprise and its people on an application under test; and a small relying party."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt as pyjwt
import pyotp
import yaml
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask
from flask.testing import FlaskClient
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from werkzeug.test import TestResponse

from idp.accounts import services as accounts
from idp.audit import SYSTEM, Actor
from idp.clock import MovableClock, local_date
from idp.config import Settings, folder
from idp.db import db
from idp.delegation import services as delegation
from idp.delegation.catalogue import catalogue_services
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import VerificationRecord
from idp.delegation.rights.rights_services import Right
from idp.delegation.subscriptions import subscription_services
from idp.identifiers import UserCode
from idp.oidc.clients import client_services

ISSUER = "http://localhost:8000"
SECRET = "a-secret-of-tests-that-is-long-and-random-enough"
CALLBACK = "http://127.0.0.1:9999/callback"
SCOPES = "openid profile email enterprise functional_blocks"
VERIFIER = "v" * 43 + "-._~0123"
PASSWORD = "trois petits bateaux verts"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STORY, FIRM = "1100000455", "3300000018"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
pyjwt.register_algorithm("Ed25519", OKPAlgorithm())  # the name of RFC 9864 for what was called EdDSA
_KEPT: dict[tuple[datetime, str, Path], tuple[Path, Scenery]] = {}
_PRIVATE_KEYS: dict[str, Any] = {
    "PS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found.group(1)


def error_code(page: str) -> str:
    found = re.search(r'id="error-code"[^>]*>([^<]+)<', page)
    return found.group(1) if found else ""


@dataclass(frozen=True)
class Someone:
    person_id: str
    code: UserCode


@dataclass
class Scenery:
    app: Flask
    clock: MovableClock
    story: str = ""
    firm: str = ""
    people: dict[str, Someone] = field(default_factory=dict)
    memberships: dict[str, str] = field(default_factory=dict)

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def signed_in(self, name: str) -> FlaskClient:
        browser = self.browser()
        self.sign_in(browser, name)
        return browser

    def sign_in(self, browser: FlaskClient, name: str, path: str = "/sign-in") -> TestResponse:
        """Type user code, password and one-time code."""
        self.clock.advance(timedelta(seconds=31))
        page = browser.get(path)
        typed = {"username": str(self.people[name].code), "password": PASSWORD, "csrf_token": csrf_token(page.text)}
        answer = browser.post(path, data=typed)
        assert answer.status_code == 303, answer.text
        place = answer.location.removesuffix("/passkey")  # offered first to whoever has one
        page = browser.get(place)
        otp = pyotp.TOTP(TOTP_SECRET).at(self.clock.now())
        answer = browser.post(place, data={"otp": otp, "csrf_token": csrf_token(page.text)})
        assert answer.status_code == 303, answer.text
        return answer

    def go_on(self, browser: FlaskClient, answer: TestResponse, name: str, neq: str = STORY) -> TestResponse:
        """Follow the interaction to the client's address, as the person called *name* would."""
        for _ in range(12):
            if answer.status_code == 200:  # a form that posts itself
                return answer
            place = answer.location
            assert place is not None, answer.text
            if not place.startswith("/"):
                return answer
            if place.startswith("/sign-in"):
                answer = self.sign_in(browser, name, place)
            elif place.startswith("/interaction/enterprise"):
                answer = self.press(browser, place, enterprise=neq)
            elif place.startswith("/interaction/consent"):
                answer = self.press(browser, place, answer="allow")
            else:
                answer = browser.get(place)
        raise AssertionError("the interaction never ends")

    def press(self, browser: FlaskClient, place: str, **typed: str) -> TestResponse:
        """Open a page and press one of its buttons."""
        page = browser.get(place)
        assert page.status_code == 200, (page.status_code, page.location)
        return browser.post(place, data={"csrf_token": csrf_token(page.text), **typed})

    def keep_only(self, blocks: tuple[str, ...], name: str = "julie") -> None:
        """Leave a user these blocks at the agency."""
        until = local_date(self.clock.now()) + timedelta(days=20)
        right = Right(self.memberships[name], frozenset(blocks), until)
        pes = self.people["pes"].person_id
        delegation.set_rights(self.story, "amp", (right,), granter_id=pes, seen_revision=None, now=self.clock.now())

    def revoke_blocks(self, name: str = "julie") -> None:
        """Take every right of a user away."""
        delegation.suspend_member(
            self.story, self.memberships[name], by=self.people["pes"].person_id, now=self.clock.now()
        )


@dataclass
class RelyingParty:
    """A client of an agency, written without any of the provider's code."""

    scenery: Scenery
    client_id: str = "rp1"
    secret: str = SECRET
    redirect_uri: str = CALLBACK

    def parameters(self, **changed: Any) -> dict[str, str]:
        asked: dict[str, Any] = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        asked.update(changed)
        return {name: value for name, value in asked.items() if value is not None}

    def authorize(self, browser: FlaskClient, **changed: Any) -> TestResponse:
        return browser.get("/authorize", query_string=self.parameters(**changed))

    def answer(self, response: TestResponse) -> dict[str, str]:
        """Return the parameters of an answer at our address, whatever the mode."""
        if response.status_code == 200:
            return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.text))
        assert response.status_code == 303, response.text
        assert response.location.startswith(self.redirect_uri), response.location
        pairs = parse_qsl(urlsplit(response.location).query, keep_blank_values=True)
        return dict(pairs)

    def code(self, browser: FlaskClient, name: str = "julie", neq: str = STORY, **changed: Any) -> str:
        """Get a code, whatever pages are on the way."""
        answered = self.answer(self.scenery.go_on(browser, self.authorize(browser, **changed), name, neq))
        assert "code" in answered, answered
        return answered["code"]

    def token(self, code: str, *, authorization: str | None = None, **changed: Any) -> TestResponse:
        form: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        }
        form.update(changed)
        headers = {"Authorization": authorization or self.basic()}
        if authorization == "":
            headers = {}
        form = {name: value for name, value in form.items() if value is not None}
        return self.scenery.browser().post("/token", data=form, headers=headers)

    def assertion(
        self, alg: str = "ES256", key: Any = None, headers: dict[str, Any] | None = None, **changed: Any
    ) -> str:
        """Return a client assertion; a claim changed to None is left out."""
        now = int(self.scenery.clock.now().timestamp())
        claims: dict[str, Any] = {
            **{"iss": self.client_id, "sub": self.client_id, "aud": ISSUER},
            **{"iat": now, "exp": now + 60, "jti": secrets.token_hex(8), **changed},
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return pyjwt.encode(claims, private_key(alg) if key is None else key, algorithm=alg, headers=headers)

    def proven_token(self, code: str, assertion: str | None = None, **changed: Any) -> TestResponse:
        """Redeem a code with an assertion."""
        proof = {"client_assertion": self.assertion() if assertion is None else assertion}
        return self.token(code, authorization="", **{"client_assertion_type": ASSERTION_TYPE, **proof, **changed})

    def basic(self, secret: str | None = None) -> str:
        pair = f"{self.client_id}:{self.secret if secret is None else secret}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def tokens(self, browser: FlaskClient, name: str = "julie", neq: str = STORY, **changed: Any) -> dict[str, Any]:
        answer = self.token(self.code(browser, name, neq, **changed))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.get_json()
        return told

    def read(self, token: str, alg: str = "RS256", audience: str | None = None) -> dict[str, Any]:
        """Verify a token with the published keys, by another library."""
        keys = self.scenery.browser().get("/jwks").get_json()["keys"]
        kid = pyjwt.get_unverified_header(token)["kid"]
        key = next(each for each in keys if each["kid"] == kid)
        claims: dict[str, Any] = pyjwt.decode(
            token,
            pyjwt.PyJWK(key),
            algorithms=[alg],
            audience=audience or self.client_id,
            issuer=ISSUER,
            options={"verify_exp": False, "verify_iat": False},
        )
        now = self.scenery.clock.now().timestamp()
        assert claims["iat"] <= now < claims["exp"]
        return claims

    def userinfo(self, access_token: str) -> TestResponse:
        return self.scenery.browser().get("/userinfo", headers={"Authorization": f"Bearer {access_token}"})


def query_of(response: TestResponse) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(response.location).query).items()}


def hidden_inputs(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def registration(client_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "client_id": client_id,
        "client_secret": SECRET,
        "client_name": f"Service {client_id}",
        "agency": "amp",
        "profile": "baseline",
        "redirect_uris": [CALLBACK],
        "scope": SCOPES,
        **changed,
    }


def private_key(alg: str) -> Any:
    """Return the private key, always the same in one run, with which the keyed clients sign by *alg*."""
    return _PRIVATE_KEYS[{"RS256": "PS256", "Ed25519": "EdDSA"}.get(alg, alg)]


def keyed(client_id: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a client with a public key of each kind and no secret."""
    kinds = {"PS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    public = [
        json.loads(kind.to_jwk(_PRIVATE_KEYS[name].public_key())) | {"kid": f"k-{name}"} for name, kind in kinds.items()
    ]
    for key in public:
        key.pop("key_ops", None)
    told = registration(client_id, token_endpoint_auth_method="private_key_jwt", jwks={"keys": public}, **changed)
    del told["client_secret"]
    return told


def lasting() -> tuple[dict[str, Any], ...]:
    """Return the registrations of clients with refresh tokens: a server, with a grace, of another agency, native, of FAPI."""
    grants: dict[str, Any] = {
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": f"{SCOPES} offline_access",
    }
    return (
        registration("offline1", **grants),
        registration("offline2", refresh_grace_seconds=10, **grants),
        registration("offline3", agency="bac", **grants),
        native("offline-desktop", **grants),
        keyed("offline-keyed", **grants),
        keyed("offline-fapi", profile="fapi2", **grants),
    )


def native(client_id: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a program on a device: no secret."""
    told = registration(
        client_id,
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/cb", "http://[::1]/cb", "https://app.example/cb"],
        **changed,
    )
    del told["client_secret"]
    return told


def watcher(client_id: str, **changed: Any) -> dict[str, Any]:
    """Return the registration of a client that signs people in and hears of security events."""
    told = {
        "grant_types": ["authorization_code", "client_credentials"],
        "scope": f"{SCOPES} ssf.manage ssf.read",
    }
    return registration(client_id, **{**told, **changed})


def load(app: Flask, clock: MovableClock, place: Path, *told: dict[str, Any]) -> None:
    path = place / "clients.yaml"
    path.write_text(yaml.safe_dump({"clients": list(told)}), encoding="utf-8")
    client_services.load_clients(path, now=clock.now())


def make_scenery(app: Flask, clock: MovableClock, place: Path) -> Scenery:
    """Fill an empty database; a SQLite one is filled once a process and copied, for a thousand tests want the same."""
    url = db.engine.url
    if url.get_backend_name() != "sqlite":
        return _filled(app, clock, place)
    settings: Settings = app.extensions["mandat.settings"]
    moment = (clock.now(), settings.issuer, settings.keys_dir)
    if moment not in _KEPT:
        scenery = _filled(app, clock, place)
        db.session.remove()
        _KEPT[moment] = Path(tempfile.mkdtemp(prefix="scenery")) / "kept.sqlite3", scenery
        _copy(Path(str(url.database)), _KEPT[moment][0])
        return scenery
    kept, model = _KEPT[moment]
    db.session.remove()
    db.engine.dispose()
    _copy(kept, Path(str(url.database)))
    return replace(model, app=app, clock=clock, people=dict(model.people), memberships=dict(model.memberships))


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def _filled(app: Flask, clock: MovableClock, place: Path) -> Scenery:
    now = clock.now()
    catalogue_services.load_agencies(folder("agencies"), now=now)
    scenery = Scenery(app, clock)
    for name in ("ar", "pes", "julie", "ginette", "firm_ar", "nobody"):
        scenery.people[name] = _someone(name, clock)
    scenery.story = _enterprise(STORY, "Construction Haute-Licorne inc.", scenery.people["ar"], clock)
    scenery.firm = _enterprise(FIRM, "CPA Plumedor & Associés s.e.n.c.r.l.", scenery.people["firm_ar"], clock)
    for enterprise, name, role in (
        (scenery.story, "ar", Role.AUTHORIZED_REPRESENTATIVE),
        (scenery.firm, "firm_ar", Role.AUTHORIZED_REPRESENTATIVE),
        (scenery.story, "pes", Role.PES),
        (scenery.story, "julie", Role.USER),
        (scenery.story, "ginette", Role.USER),
        (scenery.firm, "ginette", Role.PES),
    ):
        who = scenery.people[name]
        scenery.memberships.setdefault(
            name,
            delegation.appoint(enterprise, who.person_id, role, user_code=who.code.signs, actor=SYSTEM, now=now),
        )
    blocks = tuple(block.code for block in catalogue_services.agency("amp").blocks)
    answers = {"is_client": "no", "contact_email": "services@licorne.example"}
    for enterprise, by in ((scenery.story, "pes"), (scenery.firm, "ginette")):
        person = scenery.people[by].person_id
        subscription_services.subscribe(enterprise, "amp", answers=answers, blocks=blocks, by=person, now=now)
    for name, codes in (("julie", ("001", "008")), ("ginette", ("007",))):
        delegation.grant(
            scenery.story,
            scenery.memberships[name],
            "amp",
            blocks=codes,
            until=local_date(now) + timedelta(days=30),
            granted_by=scenery.people["pes"].person_id,
            now=now,
        )
    load(
        app,
        clock,
        place,
        registration(
            "rp1",
            token_endpoint_auth_method="client_secret_basic",
            post_logout_redirect_uris=["http://127.0.0.1:9999/bye"],
        ),
        registration(
            "rp2",
            token_endpoint_auth_method="client_secret_post",
            redirect_uris=[CALLBACK, "http://127.0.0.1:9999/cb?dummy1=lorem&dummy2=ipsum"],
        ),
        registration("rp3", agency="bac"),
        registration("nopkce", requires_pkce=False, allowed_origins=["http://127.0.0.1:9999"]),
        native("desktop"),
        watcher("watcher"),
        keyed("rp4"),
        keyed("rp5", token_url_as_audience=True),
        keyed("rp6", token_endpoint_auth_signing_alg="ES256"),
        keyed("fapi1", profile="fapi2"),
        *lasting(),
        _second_fapi_client(),
    )
    return scenery


def _second_fapi_client() -> dict[str, Any]:
    from tests.oidc.fapi import KINDS, SECOND_CALLBACK, public_jwk

    told = keyed("fapi2", profile="fapi2", redirect_uris=[SECOND_CALLBACK], id_token_signed_response_alg="PS256")
    return told | {"jwks": {"keys": [public_jwk(KINDS["fapi2"]) | {"kid": "k-fapi2"}]}}


def _someone(name: str, clock: MovableClock) -> Someone:
    now = clock.now()
    person = accounts.create_person(
        given_name=name.title(), family_name="Pontvert", email=f"{name}@licorne.example", language="fr", now=now
    )
    code = accounts.issue_user_code(person, now=now)
    accounts.seed_credentials(person, user_code=code, password=PASSWORD, totp_secret=TOTP_SECRET, now=now)
    return Someone(person, code)


def _enterprise(neq: str, name: str, ar: Someone, clock: MovableClock) -> str:
    record = VerificationRecord(
        neq=neq,
        name=name,
        legal_form=None,
        method="online",
        verified_at=clock.now(),
        verified_by="system",
        evidence=("register",),
        file_id="test",
        authorized_representative=ar.person_id,
    )
    return delegation.register_enterprise(record, actor=SYSTEM, now=clock.now())


def actor(someone: Someone) -> Actor:
    return Actor.person(someone.person_id)


def details(*objects: dict[str, Any]) -> str:
    return json.dumps([{"type": "functional_blocks", **each} for each in objects])
