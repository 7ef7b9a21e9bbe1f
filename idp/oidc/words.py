"""What agencies ask for, in plain words."""

from __future__ import annotations

from ..delegation.catalogue.domain.catalogue import Agency
from ..delegation.catalogue.domain.questionnaire import LocalizedText
from ..delegation.people.domain.roles import Role
from ..i18n import current_language
from ..i18n import gettext as _
from .authorization.domain.disclosure import EVERY_BLOCK, Disclosure
from .authorization.domain.requests import OFFLINE


def spoken(text: LocalizedText) -> str:
    """Return a text of an agency in the person’s language."""
    return text.fr if current_language() == "fr" else text.en


def role(role: Role) -> str:
    """Return the name of a role."""
    names = {
        Role.AUTHORIZED_REPRESENTATIVE: _("authorized representative"),
        Role.PES: _("person in charge of electronic services"),
        Role.USER: _("user"),
    }
    return str(names[role])


def disclosure_lines(disclosure: Disclosure, agency: Agency | None) -> list[str]:
    """Return one sentence for each thing the agency will know; blocks have their names in the catalogue of *agency*."""
    return [*scopes(disclosure.scopes), *claims(disclosure.by_name), *_block_lines(disclosure.blocks, agency)]


def _block_lines(codes: frozenset[str], agency: Agency | None) -> list[str]:
    if not codes:
        return []
    if EVERY_BLOCK in codes:
        return [_("which of its electronic services you may use, today and as long as you agree")]
    named = blocks(agency, tuple(sorted(codes))) if agency else [(code, "") for code in sorted(codes)]
    listed = ", ".join(f"{code} ({label})" if label else code for code, label in named)
    sentence = _(
        "whether you may use these of its electronic services, today and as long as you agree: %(blocks)s",
        blocks=listed,
    )
    return [sentence]


def claims(asked: frozenset[str]) -> list[str]:
    """Return one sentence for each claim asked by name."""
    sentences = (
        ("name", _("your name in full")),
        ("given_name", _("your given name")),
        ("family_name", _("your family name")),
        ("locale", _("your language")),
        ("email", _("your e-mail address")),
        ("email_verified", _("whether your e-mail address was confirmed")),
        ("enterprise", _("the enterprise you act for: its NEQ and its name")),
        ("representation", _("your role in the enterprise")),
        ("verified_claims", _("how and when the enterprise and its representative were verified")),
        ("verified_claims.verification_process", _("the number under which your enterprise was verified")),
        ("verified_claims.evidence", _("by which kinds of proof they were verified, never the proofs themselves")),
        ("verified_claims.given_name", _("your given name, as it was verified or vouched for by your enterprise")),
        ("verified_claims.family_name", _("your family name, as it was verified or vouched for by your enterprise")),
        ("verified_claims.authority", _("that you may act for the enterprise, in which role, and who gave it to you")),
    )
    return [str(sentence) for claim, sentence in sentences if claim in asked]


def scopes(asked: frozenset[str]) -> list[str]:
    """Return one sentence for each thing that scopes let the agency know, blocks aside."""
    sentences = (
        ("openid", _("that it is you each time you come back, by a number made for this agency only")),
        ("openid", _("when and how you signed in")),
        ("profile", _("your name and your language")),
        ("email", _("your e-mail address")),
        ("enterprise", _("the enterprise you act for: its NEQ, its name, and your role in it")),
        (
            OFFLINE,
            _(
                "all of this also while you are away, even after you sign out: for 30 days, or until you withdraw your consent"
            ),
        ),
    )
    if "functional_blocks" in asked:
        asked |= {"enterprise"}
    return [str(sentence) for scope, sentence in sentences if scope in asked]


def blocks(agency: Agency, codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return codes with their labels."""
    known = ((code, agency.block(code)) for code in codes)
    return [(code, spoken(block.label) if block else "") for code, block in known]
