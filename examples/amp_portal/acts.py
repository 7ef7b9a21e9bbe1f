"""The two acts that bind an enterprise, payment and validation: shown, then done by one POST after a fresh sign-in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from . import confirming
from .access import Rights
from .sessions import PortalSession
from .step_up import Challenge, challenge
from .views import block_page, current_session, for_block, now, settings, store

NOT_CONFIRMED = {"cancelled": True, "not_fresh": True, "somebody_else": False}  # why, and whether to offer another try


def register(app: Flask) -> None:
    """Add the acts to *app*."""
    most = 2**53
    app.add_url_rule(f"/invoices/<int(max={most}):invoice_id>", "pay", pay, methods=["GET", "POST"])
    app.add_url_rule("/relationships/validation", "validation", validation, methods=["GET", "POST"])
    app.add_url_rule("/not-confirmed", "not_confirmed", not_confirmed)


@for_block("008")
def pay(current: PortalSession, rights: Rights, invoice_id: int) -> ResponseReturnValue:
    """Pay an invoice in pretence."""
    invoice = store().invoice(rights.enterprise_id, invoice_id)
    if invoice is None:
        return render_template("notice.html", title_key="not_found", session=current), 404
    if invoice["paid_at"] is not None:
        return redirect("/invoices?before=1", code=303)
    missing = _missing(current)
    if missing is not None or request.method == "GET":
        return _shown(current, "008", missing, invoice=invoice, back="/invoices")
    confirming.forget()
    receipt = store().pay(rights.enterprise_id, invoice_id, now())
    return redirect(f"/invoices?receipt={receipt}" if receipt else "/invoices?before=1", code=303)


@for_block("019")
def validation(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Validate and end the data entry."""
    application, told = store().application(rights.enterprise_id), store().relationships(rights.enterprise_id)
    if application is None or application["validated_at"] is not None or not told:
        return redirect("/relationships?told=cannot_validate", code=303)
    missing = _missing(current)
    if missing is not None or request.method == "GET":
        return _shown(
            current, "019", missing, application=application, relationships=told, back="/relationships", invoice=None
        )
    confirming.forget()
    ended = store().validate(rights.enterprise_id, current.sub, now())
    return redirect("/relationships?told=" + ("validated" if ended else "cannot_validate"), code=303)


def not_confirmed() -> ResponseReturnValue:
    """Say why nothing was done, and lead back to it."""
    why, path = request.args.get("why", ""), request.args.get("next", "")
    if why not in NOT_CONFIRMED:
        why = "cancelled"
    again = path if NOT_CONFIRMED[why] and confirming.is_act(path) else None
    return render_template("not_confirmed.html", why=why, again=again, session=current_session()), 403


def _missing(current: PortalSession) -> Challenge | None:
    needs = replace(settings().needs, asked_at=confirming.asked_at(request.path, current.sub))
    return challenge(current.claims, now(), needs)


def _shown(current: PortalSession, block: str, missing: Challenge | None, **values: Any) -> ResponseReturnValue:
    """Show the act with the button that does it or, when something is missing, the one that leads to the sign-in."""
    if missing is None:
        return block_page("act.html", current, block, **values)
    headers = {"WWW-Authenticate": missing.header}
    if "text/html" not in request.accept_mimetypes.values():
        return missing.body, 401, headers
    signed_in_at = current.signed_in_at()
    page, _ = block_page("step_up.html", current, block, path=request.path, signed_in_at=signed_in_at, **values)
    return page, 401, headers
