"""Security profiles as frozen values: a client carries one, and every MUST is read from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client must do and may expect."""

    name: str
    auth_methods: frozenset[str]
    assertion_algs: tuple[str, ...]
    response_modes: frozenset[str]
    may_waive_pkce: bool
    code_life: timedelta
    token_life: timedelta


BASELINE = Profile(
    name="baseline",
    auth_methods=frozenset({"none", "client_secret_basic", "client_secret_post", "private_key_jwt"}),
    assertion_algs=("PS256", "ES256", "EdDSA", "Ed25519", "RS256"),
    response_modes=frozenset({"query", "form_post"}),
    may_waive_pkce=True,  # for the OIDF Basic plan, which sends PKCE in one module only (oidc §1)
    code_life=timedelta(seconds=60),  # ASVS 10.4.3 L3, FAPI 2.0 §5.3.2.1
    token_life=timedelta(minutes=5),
)
PROFILES = {profile.name: profile for profile in (BASELINE,)}
