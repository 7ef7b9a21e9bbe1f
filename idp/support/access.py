"""Access to the pages of the desk; for everyone else those pages do not exist."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from ..accounts.sessions.sessions import current_sign_in, sign_in_required
from ..errors import NotFoundError
from . import services
from .roles import DeskRole, OperatorView

View = TypeVar("View", bound=Callable[..., Any])


def at_desk() -> OperatorView | None:
    """Return the caller's operator role, or None."""
    sign_in = current_sign_in()
    return services.operator_of(sign_in.person_id) if sign_in else None


def desk_role_required(role: DeskRole) -> Callable[[View], View]:
    """Open a page to people of the desk with *role*, and pass them as ``operator``; others get a 404."""

    def guard(view: View) -> View:
        @wraps(view)
        @sign_in_required
        def guarded(*arguments: Any, **values: Any) -> Any:
            operator = at_desk()
            if operator is None or operator.role is not role:
                raise NotFoundError("not at this desk")
            return view(*arguments, operator=operator, **values)

        return guarded  # type: ignore[return-value]

    return guard
