"""The two acts that bind an enterprise, payment and submission: shown first, done by one POST after a fresh sign-in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Flask, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from . import confirming, guard
from .access import Rights
from .application_store import Outcome
from .applications import State
from .forms import whole
from .guard import BlockPage, acting, applications, block_page, current_session, not_found, now, settings, store
from .sessions import PortalSession
from .step_up import Challenge, challenge

NOT_CONFIRMED = {"cancelled": True, "not_fresh": True, "somebody_else": False}  # why; may it be tried again?


def register(app: Flask) -> None:
    """Add the acts to *app*."""
    guard.register(
        app,
        (
            BlockPage("/invoices/<row:invoice_id>", "pay", "008", pay, takes_forms=True),
            BlockPage("/relationships/validation", "validation", "019", validation, takes_forms=True),
        ),
    )
    app.add_url_rule("/not-confirmed", "not_confirmed", not_confirmed)


def pay(current: PortalSession, rights: Rights, invoice_id: int) -> ResponseReturnValue:
    """Simulate the payment of an invoice."""
    invoice = store().invoice(rights.enterprise_id, invoice_id)
    if invoice is None:
        return not_found(current)
    if invoice["paid_at"] is not None:
        return redirect("/invoices?before=1", code=303)
    missing = _missing(current)
    if missing is not None or request.method == "GET":
        return _shown(current, "008", missing, invoice=invoice, back="/invoices")
    receipt = store().pay(acting(current, rights, "008"), invoice_id)
    confirming.forget()
    if receipt:
        _log("paid", current, rights, invoice["number"])
    return redirect(f"/invoices?receipt={receipt}" if receipt else "/invoices?before=1", code=303)


def validation(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Validate and end the data entry: the application is submitted as it was shown."""
    kept = applications()
    application = kept.latest(rights.enterprise_id)
    if application is not None and State(application["state"]) is not State.DRAFT:
        return redirect("/relationships?told=already_submitted", code=303)
    if application is None or kept.missing(application["id"]):
        return redirect("/relationships?told=cannot_validate", code=303)
    missing = _missing(current)
    shown = (whole(request.form.get("application")), whole(request.form.get("revision")))
    is_current = shown == (application["id"], application["revision"])
    if missing is None and request.method == "POST" and is_current:
        outcome = kept.submit(acting(current, rights, "019"), *shown)
        if outcome is not Outcome.CHANGED:
            confirming.forget()
            if outcome is Outcome.DONE:
                _log("submitted", current, rights, shown[0])
            told = {Outcome.DONE: "validated", Outcome.CLOSED: "already_submitted"}.get(outcome, "cannot_validate")
            return redirect(f"/relationships?told={told}", code=303)
        application = kept.latest(rights.enterprise_id)
    has_changed = request.method == "POST" and missing is None
    return _shown(
        *(current, "019", missing),
        status=409 if has_changed else 200,
        has_changed=has_changed,
        application=application,
        steps=kept.steps(application["id"]) if application else {},
        relationships=kept.relationships(application["id"]) if application else None,
        back="/relationships",
        invoice=None,
    )


def not_confirmed() -> ResponseReturnValue:
    """Show why the act was not done, with a link back to it."""
    why, path = request.args.get("why", ""), request.args.get("next", "")
    if why not in NOT_CONFIRMED:
        why = "cancelled"
    again = path if NOT_CONFIRMED[why] and confirming.is_act(path) else None
    return render_template("not_confirmed.html", why=why, again=again, session=current_session()), 403


def _log(what: str, current: PortalSession, rights: Rights, number: object) -> None:
    """Log which person bound which enterprise by which act (rule 6)."""
    current_app.logger.info("%s number=%s sub=%s enterprise=%s", what, number, current.sub, rights.enterprise_id)


def _missing(current: PortalSession) -> Challenge | None:
    needs = replace(settings().needs, asked_at=confirming.asked_at(request.path, current.sub))
    return challenge(current.claims, now(), needs)


def _shown(
    current: PortalSession, block: str, missing: Challenge | None, status: int = 200, **values: Any
) -> ResponseReturnValue:
    """Show the act with its button or, when the sign-in is not sufficient, the button to sign in again."""
    if missing is None:
        return block_page("act.html", current, block, status, **values)
    headers = {"WWW-Authenticate": missing.header}
    if "text/html" not in request.accept_mimetypes.values():
        return missing.body, 401, headers
    signed_in_at = current.signed_in_at()
    page, _ = block_page("step_up.html", current, block, path=request.path, signed_in_at=signed_in_at, **values)
    return page, 401, headers
