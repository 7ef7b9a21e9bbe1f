"""The file of this browser: from a secret in its page session that has a row, or from the representative's sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, flash, request, session
from flask.typing import ResponseReturnValue

from ...accounts.sessions.domain.sign_ins import device_words
from ...accounts.sessions.sessions import current_sign_in
from ...http.web import now, see_other
from ...i18n import gettext as _
from .. import browser_services, services
from ..domain.files import FileView
from ..domain.states import ForbiddenTransitionError, State
from ..errors import FileIncompleteError, FileNotEditableError, NoSuchFileError

pages = Blueprint("enrollment", __name__, url_prefix="/enrol")
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

_KEY = "enrolment_browser"


def device() -> str:
    """Return a description of this browser."""
    return device_words(request.user_agent.string)


def hold(token: str) -> None:
    """Keep the secret of a browser that may open a file; the access of the previous secret ends."""
    release()
    session[_KEY] = token


def release() -> None:
    """End this browser's access to its file, and forget the secret."""
    browser_services.leave(session.pop(_KEY, None), now=now())


def bound_file() -> FileView | None:
    """Return the file of this browser, if any."""
    file_id = browser_services.file_of(session.get(_KEY), now=now())
    if file_id is None and (sign_in := current_sign_in()) is not None:
        file_id = services.file_of_representative(sign_in.person_id)
    if file_id is None:
        return None
    try:
        return services.view(file_id, now=now())
    except NoSuchFileError:
        release()
        return None


def current_file() -> FileView:
    """Return the file of this browser; without one, redirect to the page that asks for a file number."""
    file = bound_file()
    if file is None:
        if session.pop(_KEY, None) is not None:
            flash(_("For your safety, this file was closed on this device. Come back with its number."), "info")
        abort(see_other("/enrol/resume"))
    return file


def draft_page(view: View) -> View:
    """Pass *view* the draft of this browser; a file that was submitted shows its own page instead."""

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> ResponseReturnValue:
        file = current_file()
        if file.state is not State.DRAFT:
            return see_other("/enrol/file")
        return view(file, *arguments, **values)

    return guarded  # type: ignore[return-value]


def file_page(view: View) -> View:
    """Pass *view* the file of this browser, once it was submitted."""

    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> ResponseReturnValue:
        file = current_file()
        if file.state is State.DRAFT:
            return see_other("/enrol/tasks")
        return view(file, *arguments, **values)

    return guarded  # type: ignore[return-value]


@pages.errorhandler(FileNotEditableError)
@pages.errorhandler(FileIncompleteError)
@pages.errorhandler(ForbiddenTransitionError)
def _moved_meanwhile(error: Exception) -> Response:
    """Redirect a late click: nothing was written, and the page of the file shows its state."""
    flash(_("The file has changed meanwhile. Nothing was saved; here is where it stands."), "info")
    return see_other("/enrol/file")
