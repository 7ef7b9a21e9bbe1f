"""The agency officer's desk: subscriptions to decide."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("desk_subscriptions", __name__, url_prefix="/desk/subscriptions")
