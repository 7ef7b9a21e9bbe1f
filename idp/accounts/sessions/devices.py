"""From which kind of device something is asked, for its owner to recognize."""

from __future__ import annotations

from flask import has_request_context, request

from .domain.sign_ins import device_words


def asking_device() -> str:
    """Return the browser and the system of this request in words; empty when nobody asks (a worker, a command)."""
    return device_words(request.user_agent.string)[:80] if has_request_context() else ""
