"""The pages of messages (001), requests (005), follow-up (007), the list of invoices (008) and the client file (024)."""

from __future__ import annotations

from typing import Any

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue

from . import forms, guard, kept
from .access import Rights
from .forms import Typed
from .guard import (
    BlockPage,
    acting,
    applications,
    block_page,
    database,
    form_token,
    not_found,
    now,
    page_number,
    store,
)
from .sessions import PortalSession
from .store import REPLY, REQUEST, REQUEST_KINDS

NOTHING = Typed({}, {})


def register(app: Flask) -> None:
    """Add the pages to *app*."""
    guard.register(
        app,
        (
            BlockPage("/messages", "messages", "001", messages),
            BlockPage("/messages/<row:message_id>", "message", "001", message, takes_forms=True),
            BlockPage("/messages/<row:message_id>/unread", "unread", "001", unread, takes_forms=True),
            BlockPage("/requests", "requests", "005", requests, takes_forms=True),
            BlockPage("/follow-up", "follow_up", "007", follow_up),
            BlockPage(
                "/follow-up/applications/<row:application_id>", "followed_application", "007", followed_application
            ),
            BlockPage("/follow-up/requests/<row:request_id>", "followed_request", "007", followed_request),
            BlockPage("/invoices", "invoices", "008", invoices),
            BlockPage("/client-file", "client_file", "024", client_file),
        ),
    )


def kept_for(current: PortalSession, rights: Rights) -> dict[str, str]:
    """Return what this person typed on this page and could not send."""
    return kept.find(database(), current.account, rights.enterprise_id, request.path, now())


def forget_kept(current: PortalSession, rights: Rights) -> None:
    """Delete the kept text: it was sent."""
    kept.forget(database(), current.account, rights.enterprise_id, request.path)


def messages(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """List the messages."""
    page = store().messages(rights.enterprise_id, page_number())
    return block_page("messages.html", current, "001", page=page, unread=store().unread(rights.enterprise_id))


def message(current: PortalSession, rights: Rights, message_id: int) -> ResponseReturnValue:
    """Read one message, and answer it."""
    writer = acting(current, rights, "001")
    typed, before = NOTHING, kept_for(current, rights)
    if request.method == "POST":
        typed = forms.read(request.form, REPLY)
        if not typed.faults:
            if not store().reply(writer, message_id, typed.values["text"], form_token()):
                return not_found(current)
            forget_kept(current, rights)
            return redirect(f"/messages/{message_id}?sent=1", code=303)
    found = store().read_message(writer, message_id)
    if found is None:
        return not_found(current)
    return block_page(
        *("message.html", current, "001", 400 if typed.faults else 200),
        message=found,
        replies=store().replies(rights.enterprise_id, message_id),
        values=typed.values or before,
        faults=typed.faults,
        is_kept=bool(before) and not typed.faults,
        sent=request.args.get("sent"),
    )


def unread(current: PortalSession, rights: Rights, message_id: int) -> ResponseReturnValue:
    """Make a message unread again."""
    if request.method == "GET":
        return redirect(f"/messages/{message_id}", code=303)
    if store().message(rights.enterprise_id, message_id) is None:
        return not_found(current)
    store().put_back(acting(current, rights, "001"), message_id)
    return redirect("/messages", code=303)


def requests(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Send a request."""
    typed, before = NOTHING, kept_for(current, rights)
    if request.method == "POST":
        typed = forms.read(request.form, REQUEST)
        if not typed.faults:
            values = typed.values
            sent = store().send_request(
                acting(current, rights, "005"), values["kind"], values["subject"], values["text"], form_token()
            )
            forget_kept(current, rights)
            return redirect(f"/requests?number={sent}", code=303)
    number = request.args.get("number", "")[:40]
    return block_page(
        *("requests.html", current, "005", 400 if typed.faults else 200),
        values=typed.values or before,
        faults=typed.faults,
        is_kept=bool(before) and not typed.faults,
        number=number if number and store().request_numbered(rights.enterprise_id, number) else "",
        kinds=REQUEST_KINDS,
    )


def follow_up(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Follow applications and requests."""
    return block_page("follow_up.html", current, "007", page=store().followed(rights.enterprise_id, page_number()))


def followed_application(current: PortalSession, rights: Rights, application_id: int) -> ResponseReturnValue:
    """Show the dated states of an application, and the next one."""
    found = applications().find(rights.enterprise_id, application_id)
    if found is None:
        return not_found(current)
    turns = store().turns("application", application_id)
    return block_page("followed.html", current, "007", application=found, turns=turns, asked=None)


def followed_request(current: PortalSession, rights: Rights, request_id: int) -> ResponseReturnValue:
    """Show the dated states of a request."""
    found = store().request(rights.enterprise_id, request_id)
    if found is None:
        return not_found(current)
    return block_page(
        "followed.html", current, "007", asked=found, turns=store().turns("request", request_id), application=None
    )


def invoices(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """List the invoices."""
    receipt = request.args.get("receipt", "")[:40]
    return block_page(
        *("invoices.html", current, "008"),
        page=store().invoices(rights.enterprise_id, page_number()),
        paid=store().invoice_of(rights.enterprise_id, receipt) if receipt else None,
        before=request.args.get("before"),
    )


def client_file(current: PortalSession, rights: Rights) -> ResponseReturnValue:
    """Show the whole file: the application with its answers, invoices, requests and messages."""
    files, enterprise, number = applications(), rights.enterprise_id, page_number()
    application = files.latest(enterprise)
    relationships = files.relationships(application["id"], number) if application else None
    lists: dict[str, Any] = {
        "applications": files.all(enterprise, number),
        "invoices": store().invoices(enterprise, number),
        "requests": store().requests_of(enterprise, number),
        "messages": store().messages(enterprise, number),
    }
    return block_page(
        *("client_file.html", current, "024"),
        application=application,
        steps=files.steps(application["id"]) if application else {},
        relationships=relationships,
        turns=store().turns("application", application["id"]) if application else [],
        longest=max([*lists.values(), *([relationships] if relationships else [])], key=lambda page: page.last),
        **lists,
    )
