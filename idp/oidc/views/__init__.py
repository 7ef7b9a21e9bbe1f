"""The endpoints and pages of oidc, and what it adds to the application at start."""

from __future__ import annotations

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from flask import Flask
from markupsafe import Markup

from ...accounts.sessions.domain.sign_ins import OpenSignIn, SignIn
from ...accounts.views import (
    Departure,
    add_account_section,
    add_departure,
    add_sign_in_detail,
    set_farewell,
)
from ...clock import Clock
from ...delegation.services import add_departure_hook
from ...http.web import current_settings, show_again
from ...i18n import gettext as _
from ...i18n import lazy_gettext as _l
from ...notices.services import register_renderer
from ..authorization import consent_services
from ..clients import mutual_tls
from ..domain import metadata
from ..events import event_services, signal_services
from ..events.domain.streams import transmitter_metadata
from ..keys.key_folder import KeyFolder
from ..keys.live_keys import LiveKeyRing
from ..logout import logout_services
from ..token import grant_services
from ..token.server import make_server
from . import (
    authorize,
    browser,
    consents,
    end_session,
    farewell,
    interaction,
    machine,
    playground,
    registration,
    streams,
    systems,
)


def init_app(app: Flask) -> None:
    """Add oidc to *app*."""
    with app.app_context():
        settings = current_settings()
        clock: Clock = app.extensions["mandat.clock"]
    ring = LiveKeyRing(KeyFolder.of(settings), clock, on_change=lambda changed: machine.publish_keys(app, changed))
    app.extensions["mandat.key_ring"] = ring
    app.extensions["mandat.oidc_server"] = make_server()
    mutual_tls.init_app(app, settings)
    document = metadata.document(settings.issuer)
    if settings.sees_certificates:
        known = settings.mtls_ca_file is not None
        document = metadata.with_mutual_tls(document, settings.mtls_issuer_alias, has_authorities=known)
    if settings.secure:
        check_metadata(document)
    machine.publish(app, discovery=document, jwks=ring.public_set(), ssf=transmitter_metadata(settings.issuer))
    register_renderer(app, "sign_in_ended", logout_services.fan_out_sign_in_ended)
    register_renderer(app, "rights_removed", logout_services.fan_out_rights_removed)
    register_renderer(app, logout_services.KIND, logout_services.render, on_sent=logout_services.note_delivered)
    set_farewell(app, farewell.begin)
    register_renderer(app, "credential_changed", signal_services.fan_out_credential_changed)
    register_renderer(app, "name_changed", signal_services.fan_out_name_changed)
    register_renderer(app, "access_frozen", signal_services.fan_out_access_frozen)
    register_renderer(app, event_services.KIND, event_services.render, on_sent=event_services.note_pushed)
    add_account_section(app, consents_section)
    add_account_section(app, playground.account_section)
    add_departure(app, Departure(consent_services.end_all))
    add_departure_hook(app, consent_services.end_for)
    add_sign_in_detail(app, _l("Agencies signed in to"), agencies_of_sign_ins)
    app.before_request(browser.show_pending_interaction)
    show_again(app, interaction.shown_again)
    app.before_request(browser.show_way_back)
    rooms = (
        machine,
        registration,
        streams,
        authorize,
        interaction,
        consents,
        end_session,
        farewell,
        playground,
        systems,
    )
    for room in rooms:
        app.register_blueprint(room.blueprint)


def check_metadata(document: dict[str, object]) -> None:
    """Have Authlib check the discovery document at start (it accepts https addresses only)."""
    AuthorizationServerMetadata(document).validate()
    OpenIDProviderMetadata(document).validate()


def consents_section(_sign_in: SignIn) -> Markup:
    """Return what the account page says of consents."""
    return Markup(
        '<h2 class="govuk-heading-m">{}</h2><p class="govuk-body"><a class="govuk-link" href="/consents">{}</a></p>'
    ).format(_("Consents"), _("See and withdraw what agencies know about you"))


def agencies_of_sign_ins(_person_id: str, sign_ins: tuple[OpenSignIn, ...]) -> dict[str, str]:
    """Return which agencies hold tokens of each sign-in, by ``sid``."""
    found = grant_services.agencies_of_sign_ins(one.sid for one in sign_ins)
    return {sid: ", ".join(map(consents.agency_name, agencies)) for sid, agencies in found.items()}
