"""Where a person is reached by post: in care of their enterprise, at the address that the register publishes."""

from __future__ import annotations

from flask import current_app

from ...connectors.enterprise_register import EnterpriseRegister
from ...identifiers import Neq
from . import people_services


def postal_lines(person_id: str) -> tuple[str, ...]:
    """Return the lines below a person's name: the enterprise and its address; none for who acts for no enterprise.

    Raises:
        RegisterUnavailableError: the register does not answer; the letter waits.
    """
    views = people_services.best_memberships(people_services.memberships_of(person_id))
    counting = [view for view in views if view.counts] or list(views)
    register: EnterpriseRegister | None = current_app.extensions.get("mandat.register")
    if not counting or register is None:
        return ()
    entry = register.look_up(Neq(counting[0].neq))
    return (counting[0].enterprise_name, *(entry.address_lines if entry else ()))
