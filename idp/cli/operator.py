"""``idp operator``: the people of the desk."""

from __future__ import annotations

import click

from .. import addresses
from ..app import create_app
from ..clock import SystemClock
from ..config import read_settings
from ..delegation.catalogue import catalogue_services
from ..errors import NotFoundError
from ..i18n import Language
from ..support import services
from ..support.roles import DeskRole, wrong_agency

_FAULTS = {
    addresses.AddressFault.SHAPE: "not an e-mail address",
    addresses.AddressFault.LOCAL_PART: "the mail server carries only ASCII before the @ (IDP_SMTP_UTF8)",
}


@click.group()
def operator() -> None:
    """Add operators and agency officers."""


@operator.command()
@click.option("--name", required=True, help="given name, then family name")
@click.option("--one-name", "has_one_name", is_flag=True, help="the person has one name, however many words it has")
@click.option("--email", required=True)
@click.option("--role", type=click.Choice([role.value for role in DeskRole]), default=DeskRole.OPERATOR.value)
@click.option("--agency", "agency_id", help="the agency of an agency officer")
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
def add(name: str, has_one_name: bool, email: str, role: str, agency_id: str | None, language: Language) -> None:
    """Create an account for the desk and print its link, valid once and for 24 hours.

    Give the link to that person yourself, and to no one else: the first person to open it chooses the password.
    """
    if wrong_agency(DeskRole(role), agency_id):
        raise click.UsageError("an agency officer needs --agency, an operator has none")
    try:
        address = addresses.parse(email, smtp_utf8=read_settings().smtp_utf8)
    except addresses.InvalidAddressError as error:
        raise click.BadParameter(_FAULTS[error.fault], param_hint="--email") from None
    with create_app().app_context():
        if agency_id is not None:
            _check_agency(agency_id)
        try:
            added = services.add_operator(
                name=name,
                has_one_name=has_one_name,
                email=address,
                role=role,
                agency_id=agency_id,
                language=language,
                now=SystemClock().now(),
            )
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--name") from None
    click.echo(f"User code: {added.user_code}")
    click.echo(f"Link (once, 24 hours): {added.link}")


def _check_agency(agency_id: str) -> None:
    try:
        catalogue_services.agency(agency_id)
    except NotFoundError:
        known = ", ".join(agency.id for agency in catalogue_services.agencies()) or "none"
        raise click.BadParameter(f"not in the catalogue (which has: {known})", param_hint="--agency") from None
