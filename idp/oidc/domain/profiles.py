"""Security profiles as frozen values: a client carries one, and every MUST is read from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

_STRONG_ALGS = ("PS256", "ES256", "EdDSA", "Ed25519")  # FAPI 2.0 §5.4.1
SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post"})
DEFAULT_METHOD = "client_secret_basic"  # RFC 7591 §2; a client that named no method may use either of the two
STRONG_METHODS = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})  # §5.3.2.1


@dataclass(frozen=True, slots=True)
class Profile:
    """What a client must do and may expect.

    ``signing_algs`` are those a client may sign with (assertions, request objects, DPoP proofs); ``id_token_algs`` those it may
    ask to be answered with, the default first.
    """

    name: str
    auth_methods: frozenset[str]
    signing_algs: tuple[str, ...]
    id_token_algs: tuple[str, ...]
    response_modes: frozenset[str]
    may_waive_pkce: bool
    may_omit_iss: bool
    may_use_token_url_as_audience: bool
    requires_pushed_request: bool
    requires_signed_request: bool
    requires_bound_tokens: bool  # by a DPoP key or by a certificate
    requires_dpop_nonce: bool
    code_life: timedelta
    token_life: timedelta


BASELINE = Profile(
    name="baseline",
    auth_methods=SECRET_METHODS | STRONG_METHODS | {"none"},
    signing_algs=(*_STRONG_ALGS, "RS256"),
    id_token_algs=("RS256", "PS256", "ES256", "EdDSA"),
    response_modes=frozenset({"query", "fragment", "form_post"}),
    may_waive_pkce=True,  # for the OIDF Basic plan, which sends PKCE in one module only (protocol.md §1)
    may_omit_iss=True,  # for a library that takes the whole answer for its redirect URI (protocol.md §9.9)
    may_use_token_url_as_audience=True,
    requires_pushed_request=False,
    requires_signed_request=False,
    requires_bound_tokens=False,
    requires_dpop_nonce=False,
    code_life=timedelta(seconds=60),  # ASVS 10.4.3 L3, FAPI 2.0 §5.3.2.1
    token_life=timedelta(minutes=5),
)
FAPI2 = replace(  # FAPI 2.0 Security Profile Final §5.3.2
    BASELINE,
    name="fapi2",
    auth_methods=STRONG_METHODS,
    signing_algs=_STRONG_ALGS,
    id_token_algs=("ES256", "PS256", "EdDSA"),
    response_modes=frozenset({"query", "form_post"}),
    may_waive_pkce=False,
    may_omit_iss=False,
    may_use_token_url_as_audience=False,
    requires_pushed_request=True,
    requires_bound_tokens=True,
    requires_dpop_nonce=True,
)
FAPI2_MESSAGE_SIGNING = replace(  # FAPI 2.0 Message Signing Final §5.3, §5.4
    FAPI2,
    name="fapi2-message-signing",
    requires_signed_request=True,
    response_modes=FAPI2.response_modes | {"jwt", "query.jwt", "form_post.jwt"},
)
PROFILES = {profile.name: profile for profile in (BASELINE, FAPI2, FAPI2_MESSAGE_SIGNING)}
