"""Every answer that the application gave in a story, and in which of them a secret stands (security-bar.md S-52)."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from flask import Flask
from werkzeug.wrappers import Response

TYPED = {  # fields of a form that are secrets, right or wrong: none may come back in any answer
    *("password", "new_password", "new_password_repeat", "temporary_password", "email_code", "code", "recovery_code"),
    *("client_secret", "client_assertion", "code_verifier", "refresh_token", "revenu_quebec_id", "notice_number"),
}
SHORTEST = 8  # signs: less is found by chance
SEPARATORS = re.compile(r"[\s\u00a0\u202f-]|&nbsp;")


@dataclass(frozen=True)
class Answer:
    """One answer: to what, its headers and its body as text."""

    request: str
    headers: tuple[tuple[str, str], ...]
    body: str

    def holds(self, secret: str) -> str | None:
        """Tell where *secret* stands, as it is or as people group it: the name of the header, ``body``, or nowhere."""
        plain = SEPARATORS.sub("", secret)
        for name, value in self.headers:
            if secret in value or secret in unquote(value):
                return name
        text = html.unescape(self.body)
        return "body" if secret in text or (not plain.isdigit() and plain in SEPARATORS.sub("", text)) else None


@dataclass
class Answers:
    """What was answered so far, and what was typed that is a secret."""

    given: list[Answer] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)

    def places_of(self, secrets: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
        """Return by name where the *secrets* of that name, and all that was typed, are shown: request and place."""
        wanted = {name: set(values) for name, values in secrets.items()}
        known = {SEPARATORS.sub("", value) for values in wanted.values() for value in values}
        for value, name in self.typed.items():
            if SEPARATORS.sub("", value) not in known:
                wanted.setdefault(f"typed as {name}", set()).add(value)
        found: dict[str, set[str]] = {}
        for name, values in wanted.items():
            for value in values:
                for answer in self.given:
                    place = answer.holds(value)
                    if place is not None:
                        found.setdefault(name, set()).add(f"{answer.request}: {place}")
        return found


def listen(app: Flask) -> Answers:
    """Hear every answer of *app* from now on, as it leaves: with its cookies and its last headers."""
    answers, inner = Answers(), app.wsgi_app

    def hearing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(sent)
        for name, value in parse_qsl(sent.decode("utf-8", "replace")):
            if name in TYPED and len(value) >= SHORTEST:
                answers.typed[value] = name
        response = Response.from_app(inner, environ, buffered=True)
        request = re.sub(r"[0-9a-f]{32}", "…", f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        answers.given.append(
            Answer(request, tuple(response.headers), response.get_data(as_text=False).decode("utf-8", "replace"))
        )
        return response(environ, start_response)

    app.wsgi_app = hearing  # type: ignore[method-assign]
    return answers
