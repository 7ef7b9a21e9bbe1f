"""The pages of an application: filled in step by step under block 018, disclosed and ended under block 019."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from . import forms, guard
from .access import Rights
from .application_store import NO_STEP, Outcome
from .applications import CATEGORIES, RELATIONSHIP, RELATIONSHIP_KINDS, STEPS, State, is_below_threshold
from .formats import read_dollars
from .forms import Typed, whole
from .guard import BlockPage, acting, applications, block_page, form_token, page_number
from .kept import LABELS
from .services import NOTHING, forget_kept, kept_for
from .sessions import PortalSession

_PLACES = {"contract": "/application", "details": "/application/details"}
_AFTER = {"contract": "/application/details", "details": "/application/relationships"}
_TOLD_018 = (
    "saved",
    "relationship_added",
    "relationship_changed",
    "relationship_removed",
    "relationship_gone",
    "begun",
)
_TOLD_019 = ("disclosed", "validated", "already_submitted", "cannot_validate", "changed_meanwhile", "nothing_checked")


def register(app: Flask) -> None:
    """Add the pages to *app*."""
    guard.register(
        app,
        (
            BlockPage("/application", "application", "018", contract, takes_forms=True),
            BlockPage("/application/details", "details", "018", details, takes_forms=True),
            BlockPage(
                "/application/relationships", "draft_relationships", "018", draft_relationships, takes_forms=True
            ),
            BlockPage(
                "/application/relationships/<row:row_id>", "change_relationship", "018", change, takes_forms=True
            ),
            BlockPage("/application/relationships/<row:row_id>/removal", "removal", "018", removal, takes_forms=True),
            BlockPage("/application/check", "check", "018", check),
            BlockPage("/application/new", "new_application", "018", begin, takes_forms=True),
            BlockPage("/relationships", "relationships", "019", relationships, takes_forms=True),
            BlockPage("/relationships/disclosure", "disclosure", "019", disclosure, takes_forms=True),
        ),
    )


def contract(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """The first step: which contract, and who answers for the application."""
    return _step(current, rights, "contract")


def details(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """The second step: the value of the contract and the public body."""
    return _step(current, rights, "details")


def _step(current: PortalSession, rights: Rights, name: str) -> ResponseReturnValue:
    files, enterprise = applications(), rights.enterprise_id
    typed, outcome = NOTHING, None
    if request.method == "POST":
        comes_back = "later" in request.form
        typed = forms.read(request.form, STEPS[name], is_draft=comes_back)
        if not typed.faults:
            shown = (whole(request.form.get("application")), whole(request.form.get("revision")))
            outcome = files.save_step(acting(current, rights, "018"), shown[0], name, typed.values, shown[1])
            if outcome is Outcome.DONE:
                forget_kept(current, rights)
                return redirect((_PLACES[name] if comes_back else _AFTER[name]) + "?told=saved", code=303)
    before = kept_for(current, rights) if request.method == "GET" else {}
    latest = files.latest(enterprise)
    steps = files.steps(latest["id"]) if latest else {}
    step = steps.get(name, NO_STEP)
    values = typed.values or before or step.fields
    shown_at = (
        before.get("revision") if before else request.form.get("revision") if typed.faults else str(step.revision)
    )
    about = before.get("application") if before else request.form.get("application") if typed.faults else None
    return block_page(
        *(f"step_{name}.html", current, "018", _status(typed, outcome)),
        **_frame(latest, steps, name),
        values=values,
        faults=typed.faults,
        step=step,
        step_labels={field.name: LABELS[field.name] for field in STEPS[name]},
        theirs=step.fields if outcome is Outcome.CHANGED else None,
        was_closed=outcome is Outcome.CLOSED,
        is_kept=bool(before),
        shown_at=whole(shown_at),
        about=whole(about) if about is not None else (latest["id"] if latest else 0),
        categories=CATEGORIES,
        told=_told(_TOLD_018),
    )


def _status(typed: Typed, outcome: Outcome | None) -> int:
    if typed.faults or outcome in (Outcome.DUPLICATE, Outcome.FULL):
        return 400
    return 200 if outcome is None else 409


def _frame(latest: sqlite3.Row | None, steps: Mapping[str, Any], here: str) -> dict[str, Any]:
    """Return the values shown on every page of an application: its state, its steps and which of them are complete."""
    missing = applications().missing(latest["id"]) if latest else ()
    lacking = {str(each) for each in missing}
    done = {
        "contract": bool(latest) and not lacking & {"missing_category", "missing_respondent", "missing_description"},
        "details": "details" in steps,
        "relationships": bool(latest) and "missing_relationship" not in lacking,
    }
    return {
        "application": latest,
        "is_open": latest is None or State(latest["state"]) is State.DRAFT,
        "steps": steps,
        "here": here,
        "done": done,
        "missing": missing,
    }


def _told(known: tuple[str, ...]) -> str | None:
    key = request.args.get("told")
    return key if key in known else None


def draft_relationships(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """The third step: list, add, change and remove business relationships."""
    return _list(current, rights, "018", "/application/relationships", "draft_relationships.html", "relationship_added")


def relationships(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Disclose relationships, see what is incomplete, and go on to the end of the data entry."""
    return _list(current, rights, "019", "/relationships", "relationships.html", "disclosed")


def _list(
    current: PortalSession, rights: Rights, block: str, path: str, template: str, added: str
) -> ResponseReturnValue:
    files, typed, outcome = applications(), NOTHING, None
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed = forms.read(request.form, RELATIONSHIP)
        faults = dict(typed.faults)
        if not faults:
            writer, about = acting(current, rights, block), whole(request.form.get("application"))
            outcome = files.add_relationship(writer, about, typed.values, form_token())
            if outcome is Outcome.DONE:
                forget_kept(current, rights)
                return redirect(f"{path}?told={added}", code=303)
            if outcome in (Outcome.DUPLICATE, Outcome.FULL):
                faults["name"] = outcome
    before = kept_for(current, rights) if request.method == "GET" else {}
    latest = files.latest(rights.enterprise_id)
    return block_page(
        *(template, current, block, _status(typed, outcome)),
        **_frame(latest, files.steps(latest["id"]) if latest else {}, "relationships"),
        page=files.relationships(latest["id"], page_number()) if latest else None,
        values=typed.values or before,
        faults=faults,
        is_kept=bool(before),
        was_closed=outcome is Outcome.CLOSED,
        kinds=RELATIONSHIP_KINDS,
        told=_told(_TOLD_018 if block == "018" else _TOLD_019),
    )


def change(current: PortalSession, rights: Rights, row_id: int) -> ResponseReturnValue:
    """Change a relationship; it must then be disclosed again."""
    files, typed, outcome = applications(), NOTHING, None
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed = forms.read(request.form, RELATIONSHIP)
        faults = dict(typed.faults)
        if not faults:
            writer, shown_at = acting(current, rights, "018"), whole(request.form.get("revision"))
            outcome = files.change_relationship(writer, row_id, typed.values, shown_at)
            if outcome is Outcome.DONE:
                forget_kept(current, rights)
                return redirect("/application/relationships?told=relationship_changed", code=303)
            if outcome is Outcome.DUPLICATE:
                faults["name"] = outcome
    row = files.relationship(rights.enterprise_id, row_id)
    if row is None:
        return _gone(current, typed)
    before = kept_for(current, rights) if request.method == "GET" else {}
    typed_at = before.get("revision") if before else request.form.get("revision") if faults else None
    application = files.find(rights.enterprise_id, row["application_id"])
    return block_page(
        *("change_relationship.html", current, "018", _status(typed, outcome)),
        row=row,
        is_open=application is not None and State(application["state"]) is State.DRAFT,
        values=typed.values or before or dict(row),
        faults=faults,
        theirs={name: row[name] for name in ("kind", "name", "detail")} if outcome is Outcome.CHANGED else None,
        was_closed=outcome is Outcome.CLOSED,
        is_kept=bool(before),
        shown_at=row["revision"] if typed_at is None else whole(typed_at),
        kinds=RELATIONSHIP_KINDS,
    )


def removal(current: PortalSession, rights: Rights, row_id: int) -> ResponseReturnValue:
    """Ask for confirmation, then remove a relationship."""
    files, outcome = applications(), None
    if request.method == "POST":
        outcome = files.remove_relationship(acting(current, rights, "018"), row_id, whole(request.form.get("revision")))
        if outcome in (Outcome.DONE, Outcome.GONE):
            told = "relationship_removed" if outcome is Outcome.DONE else "relationship_gone"
            return redirect(f"/application/relationships?told={told}", code=303)
    row = files.relationship(rights.enterprise_id, row_id)
    if row is None:
        return _gone(current, NOTHING)
    application = files.find(rights.enterprise_id, row["application_id"])
    return block_page(
        *("remove_relationship.html", current, "018", 200 if outcome is None else 409),
        row=row,
        is_open=application is not None and State(application["state"]) is State.DRAFT,
        outcome=outcome,
    )


def _gone(current: PortalSession, typed: Typed) -> ResponseReturnValue:
    """Show that the relationship does not exist or was removed, with the text typed for it."""
    return block_page("relationship_gone.html", current, "018", 404, typed=dict(typed.values))


def check(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """The last step: show every answer, what is missing, and which person acts next."""
    files = applications()
    latest = files.latest(rights.enterprise_id)
    steps = files.steps(latest["id"]) if latest else {}
    contract_fields, money = (
        steps.get("contract", NO_STEP).fields,
        steps.get("details", NO_STEP).fields.get("value", ""),
    )
    return block_page(
        *("check.html", current, "018"),
        **_frame(latest, steps, "check"),
        page=files.relationships(latest["id"], page_number()) if latest else None,
        is_below=is_below_threshold(contract_fields, read_dollars(money)),
        may_end=rights.refusal("019") is None,
    )


def begin(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Begin another application once the last one was submitted."""
    if request.method == "POST":
        applications().begin(acting(current, rights, "018"))
        return redirect("/application?told=begun", code=303)
    latest = applications().latest(rights.enterprise_id)
    if latest is None or State(latest["state"]) is State.DRAFT:
        return redirect("/application", code=303)
    return block_page("new_application.html", current, "018", application=latest)


def disclosure(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Disclose the relationships that were checked, each as it was shown."""
    if request.method == "GET":
        return redirect("/relationships", code=303)
    shown = {}
    for pair in request.form.getlist("disclose")[:100]:
        row_id, _colon, revision = pair.partition(":")
        shown[whole(row_id)] = whole(revision)
    if not shown:
        return redirect("/relationships?told=nothing_checked", code=303)
    about = whole(request.form.get("application"))
    outcome = applications().disclose(acting(current, rights, "019"), about, shown)
    told = {Outcome.DONE: "disclosed", Outcome.CLOSED: "already_submitted"}.get(outcome, "changed_meanwhile")
    return redirect(f"/relationships?told={told}", code=303)
