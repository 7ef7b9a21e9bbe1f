"""The routes that change something, one row each: which require a fresh factor, and why the others do not.

``accounts.confirming`` enforces the rows, ``web`` refuses cross-site posts to every route except those for programs,
and ``tests/test_acts.py`` compares them with the URL map: a new route comes with its row. The rule: an act that gives a
right, a secret or a credential, that decides for another person, or that commits or ends something of an enterprise
requires a factor; closing something of one's own does not, because it must be fast (OWASP ASVS 7.5.1, 7.5.3). Pure
data.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 §9.2.1


class Need(StrEnum):
    """Whether a route requires a fresh factor."""

    ACT = "act"  # the posted form waits until the factor is shown
    PAGE = "page"  # the page itself requires a factor, before it shows or takes a secret, which is never kept waiting
    NONE = "none"
    MACHINE = "machine"  # called by programs or other sites: the effect needs no session cookie, nor a CSRF token


@dataclass(frozen=True, slots=True)
class Row:
    """The need of one route; ``reason`` says why no factor is required."""

    need: Need
    reason: str = ""


_ACT, _PAGE, _MACHINE = Row(Need.ACT), Row(Need.PAGE), Row(Need.MACHINE)
_SIGNING_IN = Row(Need.NONE, "the factors themselves are shown here")
_BY_CODE = Row(Need.NONE, "nobody is signed in: slips, a password or a code by e-mail prove who asks")
_FILE = Row(Need.NONE, "the file of an enrolment, before there is an account: its own session and codes protect it")
_CLOSES = Row(Need.NONE, "only ends or closes something of one's own: haste is the point")
_WRITES_NOTHING = Row(Need.NONE, "checks what was typed; the confirmation page that follows asks")
_AGENCY = Row(Need.NONE, "the agency says how fresh the sign-in must be (max_age, acr_values)")
_LABEL = Row(Need.NONE, "a preference of one's own that opens and closes nothing")
_READS = Row(Need.NONE, "reads, and logs the reading")

ROWS: dict[str, Row] = {
    # operators
    "desk.decide": _ACT,
    "desk_lockouts.find": _READS,
    "desk_lockouts.unlock": _ACT,
    "desk_reproofing.propose": _ACT,
    "desk_reproofing.agree": _ACT,
    "desk_subscriptions.decide": _ACT,
    # an enterprise
    "people.new_user": _PAGE,
    "people.new_pes": _PAGE,
    "people.new_slips": _ACT,
    "people.do_act": _ACT,
    "people.vouch": _ACT,
    "people.take_enterprise": Row(Need.NONE, "chooses among the enterprises that the sign-in opens anyway"),
    "reproofing.start": _ACT,
    "reproofing.unlock": _ACT,
    "rights.check": _WRITES_NOTHING,
    "rights.save": _ACT,
    "details.mine": _PAGE,
    "questions.ask": Row(Need.NONE, "anybody may ask; nothing is given"),
    "questions.answered": Row(Need.NONE, "notes that a message was answered; nothing is sent"),
    "requests.ask": Row(Need.NONE, "asks a person in charge, who decides; nothing is given"),
    "requests.withdraw": _CLOSES,
    "requests.grant": _WRITES_NOTHING,
    "requests.refuse": _ACT,
    "reminders.remind": Row(Need.NONE, "writes to people who are in charge already; nothing is given"),
    "subscriptions.subscribe": _WRITES_NOTHING,
    "subscriptions.check": _ACT,
    "subscriptions.withdraw": _ACT,
    "changes.change": _WRITES_NOTHING,
    "changes.send": _ACT,
    "changes.withdraw": _ACT,
    "oidc_systems.approve": _WRITES_NOTHING,
    "oidc_systems.confirm": _ACT,
    "oidc_systems.revoke": _PAGE,
    # an account
    "security.password": _PAGE,
    "security.application": _PAGE,
    "security.passkey": _PAGE,
    "security.remove": _PAGE,
    "security.recovery_codes": _PAGE,
    "security.rename": _LABEL,
    "email_change.ask": _PAGE,
    "email_change.code": _PAGE,
    "names.correct": _PAGE,
    "closing.close": _ACT,
    "linking.link": _PAGE,
    "my_data.download": _PAGE,
    "accounts.language": _LABEL,
    "accounts.sign_out_elsewhere": _CLOSES,
    "accounts.slip_pdf": Row(
        Need.NONE, "prints the temporary password that the form itself holds, for fifteen minutes"
    ),
    "devices.end": _CLOSES,
    "devices.end_all": _CLOSES,
    "devices.forget": _CLOSES,
    "devices.stay": Row(Need.NONE, "says that the person is there; the absolute limit stays"),
    "freezing.own": _CLOSES,
    "linking.other_account": _CLOSES,
    "sign_in.sign_out": _CLOSES,
    "oidc_consents.consents": _CLOSES,
    "oidc_end_session.confirm": _CLOSES,
    # the way in
    **dict.fromkeys(
        (
            *("sign_in.password", "sign_in.second_factor", "sign_in.recovery_code", "passkeys.alone"),
            *("passkeys.second_factor", "email_sign_in.code", "email_sign_in.send", "confirm.again"),
            "confirm.with_passkey",
        ),
        _SIGNING_IN,
    ),
    **dict.fromkeys(
        (
            *("activation.slips", "activation.opening", "activation.email_code", "activation.email_code_again"),
            *("activation.password", "activation.factor", "freezing.stranger", "freezing.code", "freezing.thaw"),
            *("email_change.undo", "recovery.start", "recovery.code", "recovery.code_again", "recovery.factor"),
            *("recovery.passkey", "recovery.password", "recovery.user_code", "recovery.objection"),
        ),
        _BY_CODE,
    ),
    # an enrolment
    "enrollment.slip": _PAGE,
    **dict.fromkeys(
        (
            *("enrollment.start", "enrollment.resume", "enrollment.resume_code", "enrollment.resume_again"),
            *("enrollment.enterprise", "enrollment.enterprise_confirm", "enrollment.tax_number"),
            *("enrollment.representative", "enrollment.confirm_email", "enrollment.email_again"),
            *("enrollment.name_person", "enrollment.name_myself", "enrollment.correct_person"),
            *("enrollment.remove_person", "enrollment.check", "enrollment.mailed_code", "enrollment.another_letter"),
            *("enrollment.document", "enrollment.withdraw", "enrollment.contest", "enrollment.another_file"),
            *("enrollment.account", "enrollment.account_code", "enrollment.leave"),
        ),
        _FILE,
    ),
    # an agency
    "oidc_interaction.enterprise": _AGENCY,
    "oidc_interaction.consent": _AGENCY,
    "oidc_playground.playground": Row(Need.NONE, "begins a test sign-in; the agency says how fresh it must be"),
    **dict.fromkeys(
        (
            *("oidc.authorize", "oidc_end_session.end_session", "oidc_machine.token", "oidc_machine.userinfo"),
            *("oidc_machine.par", "oidc_machine.revoke", "oidc_machine.introspect", "oidc_registration.register"),
            *("oidc_registration.manage", "oidc_playground.callback"),
            *("oidc_streams.create", "oidc_streams.update", "oidc_streams.replace"),
            *("oidc_streams.delete", "oidc_streams.change_status", "oidc_streams.add_subject"),
            *("oidc_streams.remove_subject", "oidc_streams.verify", "oidc_streams.poll"),
        ),
        _MACHINE,
    ),
}


def asks_for_factor(endpoint: str | None, method: str) -> bool:
    """Return whether a request needs a factor shown in the last minutes; a route without a row always does."""
    row = ROWS.get(endpoint or "", _PAGE)
    return row.need is Need.PAGE or (row.need is Need.ACT and method not in SAFE_METHODS)


def is_machine(endpoint: str | None) -> bool:
    """Return whether a route is called without the session cookie, by programs or by other sites."""
    return ROWS.get(endpoint or "", _PAGE).need is Need.MACHINE
