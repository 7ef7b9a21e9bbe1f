"""Two acts that meet on purpose: each stops after the statement named, until the other has come as far as it can.

Chance hardly ever makes two transactions cross; here each has its first lock when the other asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask
from sqlalchemy import event

from idp.db import db

PATIENCE = 1.5  # seconds until the one that stops goes on alone: the other waits for it in the database


def crossing(app: Flask, *acts: tuple[str | tuple[str, int], Callable[[], object]]) -> list[object]:
    """Run each act in a thread of its own up to the statement that begins so, then all on; return what each gave.

    With a number it is not the first such statement where the act stops, but the second, the third …
    """
    meeting, stops = threading.Barrier(len(acts)), dict[int, tuple[str, int]]()
    answers: list[object] = [None] * len(acts)

    def stop(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        begins, left = stops.get(threading.get_ident(), ("\0", 1))
        if not statement.startswith(begins):
            return
        stops[threading.get_ident()] = begins, left - 1
        if left == 1:
            with suppress(threading.BrokenBarrierError):  # the other one waits: that is what one order of locks does
                meeting.wait(PATIENCE)

    def run(place: int, begins: str | tuple[str, int], act: Callable[[], object]) -> None:
        with app.app_context():
            stops[threading.get_ident()] = begins if isinstance(begins, tuple) else (begins, 1)
            try:
                answers[place] = act()
            except Exception as error:  # noqa: BLE001 (the test tells what went wrong)
                answers[place] = error
            finally:
                db.session.remove()

    db.session.commit()
    event.listen(db.engine, "after_cursor_execute", stop)
    try:
        threads = [threading.Thread(target=run, args=(place, *each)) for place, each in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        event.remove(db.engine, "after_cursor_execute", stop)
    return answers
