"""The two slips a new person receives: the user code on one, the temporary password on the other, shown once.

The page's *PDF* button posts the secret back; it is compared with the digest, for fifteen minutes (decisions.md §12). What else
the slip says travels sealed, so that nobody can have another text printed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from flask import Response, make_response, render_template

from ...crypto.sealing import SealError, current_sealing
from ...http.web import absolute_url
from ...i18n import current_language
from ...identifiers import UserCode
from ...notices.letters import render_pdf
from ...notices.spelling import spell
from ..credentials.domain.passwords import TemporaryPassword
from .domain.states import TEMPORARY_PASSWORD_LIFE

_PLACE = "slip"
_CODE_GROUP = _SECRET_GROUP = 4


@dataclass(frozen=True, slots=True)
class SlipTexts:
    """What a slip says besides its secret."""

    person_name: str
    enterprise_name: str


def slips_page(
    *,
    user_code: UserCode,
    person_name: str,
    enterprise_name: str,
    temporary: TemporaryPassword,
    back_href: str,
    now: datetime,
) -> Response:
    """Return the page that shows both slips, once; it is kept by no cache."""
    texts = json.dumps([user_code.signs, person_name, enterprise_name])
    page = render_template(
        "accounts/slips.html",
        user_code=str(user_code),
        code_spelling=spell(str(user_code), _CODE_GROUP),
        secret_spelling=spell(temporary.secret, _SECRET_GROUP),
        person_name=person_name,
        enterprise_name=enterprise_name,
        temporary=temporary,
        days=TEMPORARY_PASSWORD_LIFE.days,
        activation_address=absolute_url("/activate"),
        about=current_sealing().seal(texts, _PLACE),
        back_href=back_href,
        shown_at=now,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def read_texts(about: str, user_code: UserCode) -> SlipTexts | None:
    """Return what was sealed for the slips of *user_code*, or None when it was not."""
    try:
        signs, person_name, enterprise_name = json.loads(current_sealing().unseal(about, _PLACE))
    except (SealError, ValueError):
        return None
    return SlipTexts(person_name, enterprise_name) if signs == user_code.signs else None


def code_slip(user_code: UserCode, texts: SlipTexts, temporary: TemporaryPassword) -> bytes:
    """Return the slip of the user code as PDF."""
    data: dict[str, object] = {
        "enterprise": texts.enterprise_name,
        "person": texts.person_name,
        "user_code": str(user_code),
        "pairing": temporary.pairing,
    }
    return render_pdf("slip_user_code", data, language=current_language())


def secret_slip(temporary: TemporaryPassword) -> bytes:
    """Return the slip of the temporary password as PDF."""
    data: dict[str, object] = {
        "secret": temporary.grouped,
        "days": TEMPORARY_PASSWORD_LIFE.days,
        "expires_on": temporary.expires_at,
        "pairing": temporary.pairing,
        "serves_from": temporary.serves_from,
    }
    return render_pdf("slip_secret", data, language=current_language())
