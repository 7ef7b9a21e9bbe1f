"""What each claim and parameter means, in one plain sentence: the words of ``docs/claims.md``, here for pages.

A test compares both: a claim that the page lists and that has no sentence here fails the build.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...i18n import lazy_gettext as _l

Words = Mapping[str, Any]

ID_TOKEN: Words = {
    "iss": _l("the address of the provider, to the letter"),
    "sub": _l("the person, by a number made for the agency: the same for all its clients, another elsewhere"),
    "aud": _l("the client, one text"),
    "iat": _l("when the token was made"),
    "exp": _l("when it ends: never after the first of the rights it carries"),
    "auth_time": _l("when the person signed in"),
    "nonce": _l("as sent in the request; absent when none was"),
    "sid": _l("the sign-in; logout tokens name it"),
    "acr": _l(
        "urn:mandat:aal:2: two factors, urn:mandat:aal:3: a passkey; how surely they signed in, never less than essential"
    ),
    "amr": _l("how: pwd, otp, pop, user, mfa (RFC 8176)"),
    "at_hash": _l("binds the access token of the same answer (OIDC Core §3.1.3.6)"),
    "enterprise": _l("id (neq: and the NEQ), neq, name, status (always active in a token)"),
    "representation": _l("role (authorized_representative, pes, user), basis (direct), version (only grows)"),
    "functional_blocks": _l("the codes of the agency’s blocks that the person may use, sorted"),
}
ACCESS_TOKEN: Words = {
    "iss": _l("the provider"),
    "sub": _l("the person, as in the ID token"),
    "aud": _l("the agency’s resource"),
    "client_id": _l("the client"),
    "iat": _l("when it was made"),
    "exp": _l("when it ends"),
    "jti": _l("its number, for the logs"),
    "scope": _l("what was granted"),
    "auth_time": _l("when the person signed in"),
    "acr": _l("how surely"),
    "authorization_details": _l("the exact layer, below"),
}
USERINFO: Words = {
    "sub": _l("as in the ID token"),
    "name": _l("the name in full"),
    "given_name": _l("the given name"),
    "family_name": _l("the family name"),
    "locale": _l("fr-CA or en-CA"),
    "email": _l("the address confirmed at activation"),
    "email_verified": _l("true"),
    "enterprise": _l("as it is now"),
    "representation": _l("as it is now"),
    "functional_blocks": _l("as they are now"),
}
SECTIONS: Mapping[str, Words] = {"ID token": ID_TOKEN, "Access token": ACCESS_TOKEN, "Userinfo": USERINFO}

HEADER: Words = {
    "alg": _l("the algorithm of the signature; a client accepts the ones it named, and no other"),
    "kid": _l("the key that signed, one of those published"),
    "typ": _l("the kind of token: no kind passes for another"),
}
REQUEST: Words = {
    "response_type": _l("the authorization code flow, the only one"),
    "client_id": _l("which registered service asks"),
    "redirect_uri": _l("where the answer goes: registered, compared to the byte"),
    "scope": _l("which groups of facts are asked for"),
    "state": _l("comes back unchanged: binds the answer to this browser"),
    "nonce": _l("comes back in the ID token: binds it to this request"),
    "code_challenge": _l("a digest of a secret that only the client knows until it redeems the code (PKCE)"),
    "code_challenge_method": _l("SHA-256, the only one accepted"),
    "response_mode": _l("how the answer travels: in the address, or as a form that is posted"),
    "prompt": _l("what the person must be asked, or that nothing may be"),
    "max_age": _l("the oldest sign-in that will do, in seconds"),
    "authorization_details": _l("the blocks wanted, by name (RFC 9396)"),
}
ANSWER: Words = {
    "code": _l("valid once, within a minute; spent by this page"),
    "state": _l("as sent: checked before anything else"),
    "iss": _l("who answers: checked against the provider that was asked (RFC 9207)"),
    "error": _l("why there is no code"),
    "error_description": _l("for developers, never for the person"),
}
TOKEN_ANSWER: Words = {
    "access_token": _l("for the agency’s resource and for userinfo; taken apart below"),
    "token_type": _l("how to present it: in the Authorization header"),
    "expires_in": _l("its life, in seconds"),
    "id_token": _l("who the person is and for whom they act; taken apart below"),
    "scope": _l("what was granted; less than what was asked when the client may not have it"),
    "authorization_details": _l("the exact layer: blocks, for which enterprise, until when, by which grants"),
    "error": _l("why there is no token"),
    "error_description": _l("for developers, never for the person"),
}


def of(words: Words, name: str) -> str:
    """Return the sentence for *name*, an empty one when there is none."""
    return str(words.get(name, ""))
