"""Who may reach which route: the expected table, as data. A route that is missing here fails the build (security-bar.md S-65).

Actors are the demonstration's people. ``pes_elsewhere`` is in charge of another enterprise, and asks for the rows of this one.
``reader`` is the person of ``pes``, signed in with a code by e-mail: they read, and change nothing (ADR 0014).
"""

from __future__ import annotations

ACTORS = ("anonymous", "reader", "user", "pes", "ar", "pes_elsewhere", "suspended", "operator", "agency_officer")
EVERYBODY = frozenset(ACTORS)
SIGNED_IN = EVERYBODY - {"anonymous", "reader"}
READERS = EVERYBODY - {"anonymous"}
MEMBERS = frozenset({"user", "pes", "ar", "pes_elsewhere"})
IN_CHARGE = frozenset({"pes", "ar", "pes_elsewhere"})
PES = frozenset({"pes", "pes_elsewhere"})
PES_HERE = frozenset({"pes"})  # the route names a row of this enterprise
AR = frozenset({"ar"})
OPERATOR = frozenset({"operator"})
OFFICER = frozenset({"agency_officer"})
NOBODY: frozenset[str] = frozenset()  # needs a file, a step or an interaction that none of the actors has begun

# endpoint → who gets past the door (what the page then says of its content is the business of other tests)
ALLOWED: dict[str, frozenset[str]] = {
    # public
    "pages.home": EVERYBODY,
    "pages.help_page": EVERYBODY,
    "pages.security_contact": EVERYBODY,
    "pages.accessibility": EVERYBODY,
    "pages.privacy": EVERYBODY,
    "enrollment.terms": EVERYBODY,
    "enrollment.before_you_start": EVERYBODY,
    "enrollment.start": EVERYBODY,
    "enrollment.resume": EVERYBODY,
    "enrollment.resume_code": NOBODY,
    "enrollment.resume_again": NOBODY,
    "enrollment.leave": EVERYBODY,  # without a file there is nothing to close
    "questions.ask": EVERYBODY,
    "questions.sent": EVERYBODY,
    "details.mine": IN_CHARGE,
    "details.enterprise": IN_CHARGE,
    "reminders.remind": AR,
    "requests.ask": frozenset({"user"}),
    "requests.mine": frozenset({"user"}),
    "requests.withdraw": frozenset({"user"}),
    "requests.requests": PES,
    "requests.one": PES_HERE,
    "requests.grant": PES_HERE,
    "requests.refuse": PES_HERE,
    "questions.questions": IN_CHARGE,
    "questions.answered": IN_CHARGE,  # a message of another enterprise is as one that is gone
    "sign_in.password": EVERYBODY,
    "sign_in.second_factor": NOBODY,
    "sign_in.recovery_code": NOBODY,
    "email_sign_in.code": NOBODY,
    "email_sign_in.send": NOBODY,
    "passkeys.alone": EVERYBODY,
    "passkeys.second_factor": NOBODY,
    "sign_in.sign_out": EVERYBODY,
    "email_change.undo": EVERYBODY,
    "freezing.stranger": EVERYBODY,
    "freezing.code": NOBODY,
    "freezing.frozen": EVERYBODY,
    "freezing.thaw": NOBODY,
    "activation.slips": EVERYBODY,
    "activation.opening": EVERYBODY,
    "activation.email_code": NOBODY,
    "activation.email_code_again": NOBODY,
    "activation.password": NOBODY,
    "activation.factor": NOBODY,
    "activation.linked": NOBODY,
    "linking.link": NOBODY,
    "linking.other_account": EVERYBODY,  # it ends the sign-in of this browser, as signing out does
    "recovery.start": EVERYBODY,
    "recovery.code": NOBODY,
    "recovery.code_again": NOBODY,
    "recovery.factor": NOBODY,
    "recovery.passkey": NOBODY,
    "recovery.password": NOBODY,
    "recovery.objection": EVERYBODY,
    "recovery.user_code": EVERYBODY,
    "recovery.user_code_sent": EVERYBODY,
    "recovery.lost_factor": EVERYBODY,
    "oidc.authorize": EVERYBODY,
    "oidc_end_session.end_session": EVERYBODY,
    "oidc_end_session.confirm": EVERYBODY,
    "oidc_farewell.done": EVERYBODY,
    # an account
    "accounts.account": READERS,
    "accounts.language": SIGNED_IN,
    "accounts.sign_out_elsewhere": READERS,
    "security.security": SIGNED_IN,
    "security.password": SIGNED_IN,
    "security.application": SIGNED_IN,
    "security.passkey": SIGNED_IN,
    "security.recovery_codes": SIGNED_IN,
    "security.remove": NOBODY,  # a factor of one's own
    "freezing.own": READERS,
    "names.correct": SIGNED_IN,
    "closing.about": SIGNED_IN,
    "closing.close": SIGNED_IN,
    "closing.closed": EVERYBODY,
    "security.rename": NOBODY,
    "my_data.activity": SIGNED_IN,
    "my_data.about": SIGNED_IN,
    "my_data.download": SIGNED_IN,
    "email_change.ask": SIGNED_IN,
    "email_change.code": SIGNED_IN,
    "devices.sessions": READERS,
    "devices.end": READERS,
    "devices.forget": READERS,
    "devices.end_all": READERS,
    "devices.stay": READERS,
    "confirm.again": READERS,
    "confirm.with_passkey": NOBODY,  # nobody here has a passkey: they are led to the code
    "confirm.waiting": SIGNED_IN,
    "accounts.slip_pdf": NOBODY,  # the bearer of the temporary password, within fifteen minutes
    "oidc_consents.consents": SIGNED_IN,
    "oidc_playground.playground": MEMBERS | OFFICER,  # where IDP_PLAYGROUND is on, as in these tests
    "oidc_playground.callback": MEMBERS | OFFICER,
    "people.choose": READERS,
    "people.take_enterprise": MEMBERS | {"reader"},
    # an enterprise
    "subscriptions.home": MEMBERS | {"reader"},
    "subscriptions.agencies": IN_CHARGE,
    "subscriptions.agency": IN_CHARGE,
    "subscriptions.subscribe": PES,
    "subscriptions.check": PES,
    "subscriptions.withdraw": PES,
    "changes.change": PES,
    "changes.check": PES,
    "changes.send": PES,
    "changes.withdraw": PES,
    "rights.rights": PES,
    "rights.check": PES,
    "rights.preview": PES,
    "rights.save": PES,
    "rights.saved": PES,
    "oidc_systems.systems": IN_CHARGE,
    "oidc_systems.approve": PES,
    "oidc_systems.check": PES,
    "oidc_systems.confirm": PES,
    "oidc_systems.revoke": PES_HERE,
    "people.people": PES,
    "people.person": PES_HERE,
    "people.new_user": PES,
    "people.confirm_act": PES_HERE,
    "people.do_act": PES_HERE,
    "people.confirm_vouch": PES_HERE,
    "people.vouch": PES_HERE,
    "people.new_slips": PES_HERE,
    "people.roster": IN_CHARGE,
    "people.new_pes": AR,
    "reproofing.confirm": NOBODY,  # somebody who has activated their code: the row of these tests has not
    "reproofing.start": NOBODY,
    "reproofing.confirm_unlock": PES_HERE,
    "reproofing.unlock": PES_HERE,
    "journal.journal": IN_CHARGE,
    "journal.why": MEMBERS,
    # the desk
    "desk.queue": OPERATOR,
    "desk.file": OPERATOR,
    "desk.decide": OPERATOR,
    "desk.document": OPERATOR,
    "desk_lockouts.ask": OPERATOR,
    "desk_lockouts.find": OPERATOR,
    "desk_lockouts.unlock": OPERATOR,
    "desk_reproofing.queue": OPERATOR,
    "desk_reproofing.propose": OPERATOR,
    "desk_reproofing.agree": NOBODY,  # a proposal of another operator
    "desk_subscriptions.queue": OFFICER,
    "desk_subscriptions.subscription": OFFICER,
    "desk_subscriptions.decide": OFFICER,
    # a file of one's own, an interaction of one's own
    **dict.fromkeys(
        (
            *("enrollment.tasks", "enrollment.enterprise", "enrollment.enterprise_confirm", "enrollment.tax_number"),
            *("enrollment.representative", "enrollment.confirm_email", "enrollment.email_again", "enrollment.people"),
            *("enrollment.name_person", "enrollment.name_myself", "enrollment.correct_person"),
            *("enrollment.remove_person", "enrollment.check", "enrollment.file", "enrollment.withdraw"),
            *("enrollment.contest", "enrollment.document", "enrollment.mailed_code", "enrollment.another_letter"),
            *("enrollment.account", "enrollment.account_code", "enrollment.slip", "enrollment.another_file"),
            *("oidc_interaction.enterprise", "oidc_interaction.consent", "oidc_interaction.no_right"),
            *("oidc_interaction.cancel", "oidc_interaction.missing_block"),
        ),
        NOBODY,
    ),
}

# For programs: they rest on no cookie; what they prove themselves by is tested in tests/oidc and tests/conformance.
STREAMS = {
    *("oidc_streams.create", "oidc_streams.read", "oidc_streams.update", "oidc_streams.replace", "oidc_streams.delete"),
    *("oidc_streams.status", "oidc_streams.change_status", "oidc_streams.add_subject", "oidc_streams.remove_subject"),
    *("oidc_streams.verify", "oidc_streams.poll"),
}
MACHINES = {
    *("oidc_machine.discovery", "oidc_machine.jwks", "oidc_machine.token", "oidc_machine.userinfo"),
    *("oidc_machine.par", "oidc_machine.revoke", "oidc_machine.introspect"),
    *("oidc_registration.register", "oidc_registration.manage"),
    *("oidc_streams.configuration", *STREAMS),
}

# POST routes whose effect does not rest on the session cookie, so that they ask no CSRF token (decisions.md §27).
# At the playground's callback the state is the token (RFC 6749 §10.12): the answer of /authorize carries no other.
NO_COOKIE_ROUTES = {
    *("oidc_machine.token", "oidc_machine.userinfo", "oidc.authorize", "oidc_end_session.end_session"),
    *("oidc_machine.par", "oidc_machine.revoke", "oidc_machine.introspect"),
    *("oidc_registration.register", "oidc_registration.manage"),
    *("oidc_playground.callback", *STREAMS),
}
