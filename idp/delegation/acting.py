"""Who acts, and for which enterprise, on a page: signed in, an enterprise chosen, an active membership in it.

A person who is not signed in goes to the sign-in page; a person who has several enterprises, to the chooser. A person with one
enterprise never has to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import abort, g, redirect, request

from ..accounts import services as accounts
from ..accounts.sessions.domain.sign_ins import PersonView, SignIn
from ..accounts.sessions.sessions import current_sign_in, sign_in_address
from ..errors import NotAllowedError
from ..http.web import Viewer, now
from ..i18n import gettext as _
from . import services
from .people.domain.roles import Role
from .services import MembershipView

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Acting:
    """A signed-in person acting for an enterprise; ``membership`` is the one whose role counts."""

    sign_in: SignIn
    membership: MembershipView
    person: PersonView
    roles: frozenset[Role]

    @property
    def enterprise_id(self) -> str:
        """Return the enterprise acted for."""
        return self.membership.enterprise_id

    @property
    def is_pes(self) -> bool:
        """Return whether the person is in charge of electronic services here."""
        return Role.PES in self.roles

    @property
    def is_authorized_representative(self) -> bool:
        """Return whether the person is the authorized representative here."""
        return Role.AUTHORIZED_REPRESENTATIVE in self.roles


def signed_in() -> tuple[SignIn, PersonView]:
    """Return who is signed in, and show their name in the page frame; others go to the sign-in page."""
    sign_in = current_sign_in()
    if sign_in is None:
        abort(redirect(sign_in_address()))
    person = accounts.person(sign_in.person_id)
    if g.get("viewer") is None:
        g.viewer = Viewer(person.name)
    return sign_in, person


def acting() -> Acting:
    """Return who acts on this page, for which enterprise; read once a request."""
    if "acting" not in g:
        g.acting = _acting()
    found: Acting = g.acting
    return found


def _acting() -> Acting:
    sign_in, person = signed_in()
    views = services.memberships_of(person.id)
    usable = {view.enterprise_id: view for view in services.best_memberships(views) if view.counts}
    chosen = usable.get(sign_in.enterprise_id or "")
    if chosen is None and len(usable) == 1:
        chosen = next(iter(usable.values()))
        sign_in = accounts.set_enterprise(sign_in, chosen.enterprise_id, now())
    if chosen is None:
        abort(redirect(_chooser()))
    roles = frozenset(view.role for view in views if view.enterprise_id == chosen.enterprise_id and view.counts)
    if g.viewer.acting_for is None:  # the enterprise was chosen just now
        g.viewer = Viewer(person.name, chosen.enterprise, navigation(roles))
    return Acting(sign_in, chosen, person, roles)


def _chooser() -> str:
    if request.method != "GET":
        return "/enterprises"
    return f"/enterprises?{urlencode({'next': request.full_path.rstrip('?')})}"


def pes_required(view: View) -> View:
    """Let only a PES of the enterprise through."""
    return _required(view, frozenset({Role.PES}))


def ar_or_pes_required(view: View) -> View:
    """Let only the authorized representative or a PES of the enterprise through."""
    return _required(view, frozenset({Role.PES, Role.AUTHORIZED_REPRESENTATIVE}))


def authorized_representative_required(view: View) -> View:
    """Let only the authorized representative of the enterprise through."""
    return _required(view, frozenset({Role.AUTHORIZED_REPRESENTATIVE}))


def _required(view: View, roles: frozenset[Role]) -> View:
    @wraps(view)
    def guarded(*arguments: Any, **values: Any) -> Any:
        if not acting().roles & roles:
            raise NotAllowedError(f"one of {sorted(roles)} needed")
        return view(*arguments, **values)

    return guarded  # type: ignore[return-value]


def navigation(roles: frozenset[Role]) -> tuple[tuple[str, str, bool], ...]:
    """Return the links of the page frame for a person with *roles*: address, words, whether it is the present one."""
    links = [("/home", _("Home"))]
    if Role.PES in roles:
        links += [("/agencies", _("Agencies")), ("/people", _("People and rights"))]
    if roles & {Role.PES, Role.AUTHORIZED_REPRESENTATIVE}:
        links += [("/roster", _("Persons in charge")), ("/journal", _("Journal"))]
    return tuple((href, label, _is_under(href)) for href, label in links)


def _is_under(href: str) -> bool:
    return request.path == href or request.path.startswith(f"{href}/")
