"""R-1: one code, thirty-two redemptions at once: exactly one success, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.db import db
from tests.oidc.scenery import RelyingParty, Scenery

pytestmark = pytest.mark.race

MANY = 32


@pytest.mark.databases
def test_one_code_redeemed_by_many_gives_one_answer(scenery: Scenery, rp: RelyingParty) -> None:
    """Every loser is invalid_grant, none a 500; and the losers kill what the winner got (RFC 6749 §4.1.2)."""
    code = rp.code(scenery.browser())
    db.session.remove()
    together = threading.Barrier(MANY)

    def redeem(_: int) -> tuple[int, str]:
        together.wait()
        answer = rp.token(code)
        return answer.status_code, answer.get_json().get("error", answer.get_json().get("access_token"))

    with ThreadPoolExecutor(MANY) as threads:
        answers = list(threads.map(redeem, range(MANY)))

    won = [token for status, token in answers if status == 200]
    assert len(won) == 1
    assert [answer for answer in answers if answer[0] != 200] == [(400, "invalid_grant")] * (MANY - 1)
    assert rp.userinfo(won[0]).status_code == 401
