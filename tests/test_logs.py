from __future__ import annotations

import json

import pytest
import structlog

from idp.config import Settings
from idp.logs import init_logs


def test_a_secret_never_reaches_a_line(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Values under names that may hold secrets are replaced, at any depth."""
    init_logs(settings)

    structlog.get_logger().info("act", password="canary", form={"otp": "canary", "neq": "1100000018"}, Code="canary")

    written = capsys.readouterr().out
    assert "canary" not in written
    assert "1100000018" in written


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "\x1b[31mred", "a\u2028b", "a\x00b"])
def test_one_event_is_one_line(settings: Settings, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A value with line ends or control signs cannot forge a second event (S-74)."""
    init_logs(settings)

    structlog.get_logger().info("act", value=name)

    written = capsys.readouterr().out
    assert len(written.splitlines()) == 1
    assert json.loads(written)["value"] == name


def test_a_traceback_shows_no_local_value(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The value of a variable on the stack never reaches the log."""
    init_logs(settings)
    try:
        typed = "canary"
        raise RuntimeError("broken") if typed else ValueError
    except RuntimeError as error:
        structlog.get_logger().error("unexpected", exc_info=error)

    written = capsys.readouterr().out
    assert "RuntimeError" in written
    assert "canary" not in written
