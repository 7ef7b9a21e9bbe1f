"""``verified_claims``: the modules of the OIDF eKYC plan (prefix ``ekyc-server-``) and our own rules (IDA 1.0, authority).

:func:`fault` is our transcription of the members that the IDA 1.0 schema ``verified_claims.json`` requires or types, and of the
rule that what is answered is what discovery advertises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts import services as accounts
from idp.accounts.people import name_services
from idp.delegation import services as delegation
from idp.delegation.people.domain.roles import Role
from idp.delegation.people.domain.verification import Assurance, HeldRole, VerificationRecord
from idp.identifiers import PersonId
from idp.oidc.claims.domain import verified_claims, verified_requests
from idp.oidc.domain import metadata
from tests.oidc.scenery import ISSUER, STORY, RelyingParty, Scenery, load, registration

FRAMEWORK = "urn:mandat:trust:ca-qc-enterprise"
DISCOVERY = metadata.document(ISSUER)
ASKED = {"trust_framework": None}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_PARTS = {  # evidence: what each type may hold
    "electronic_record": {"type", "check_details", "time", "record"},
    "document": {"type", "check_details", "time", "document_details"},
    "vouch": {"type", "check_details", "time", "attestation"},
}
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def faults(told: Any) -> Iterator[str]:
    """Yield what is wrong with one verified_claims object."""
    if not isinstance(told, dict) or set(told) != {"verification", "claims"}:
        yield "an object has exactly verification and claims"
        return
    verification, claims = told["verification"], told["claims"]
    if verification.get("trust_framework") not in DISCOVERY["trust_frameworks_supported"]:
        yield "trust_framework is required and advertised"
    if not _TIME.fullmatch(verification.get("time", "2026-11-25T00:00:00Z")):
        yield "time is an instant in UTC"
    if not isinstance(verification.get("verification_process", ""), str):
        yield "verification_process is a text"
    if not claims or set(claims) - set(DISCOVERY["claims_in_verified_claims_supported"]):
        yield "claims holds at least one, each advertised"
    if "evidence" in verification:
        if not isinstance(verification["evidence"], list) or not verification["evidence"]:
            yield "evidence is a list of at least one"
        for each in verification["evidence"]:
            yield from evidence_faults(each)
    for authority in claims.get("authority", []):
        if not authority["applies_to"]["registration_number"] or not authority["granted_by"]["method"]:
            yield "authority says over whom and how granted"
        if {each["role"] for each in authority["permission"]} - set(DISCOVERY["authority_permissions_supported"]):
            yield "each permission has an advertised role"
        if authority["granted_by"]["method"] not in DISCOVERY["authority_granted_methods_supported"]:
            yield "the method of the grant is advertised"
    if "null" in json.dumps(told):
        yield "nothing is null"


def evidence_faults(each: dict[str, Any]) -> Iterator[str]:
    if each["type"] not in DISCOVERY["evidence_supported"] or set(each) - _PARTS[each["type"]]:
        yield "evidence has an advertised type and that type's members"
    if not _TIME.fullmatch(each.get("time", "2026-11-25T00:00:00Z")):
        yield "the time of evidence is an instant"
    if any(not isinstance(check.get("check_method"), str) for check in each.get("check_details", [])):
        yield "a check names its method"
    record = each.get("record", {}).get("type", DISCOVERY["electronic_records_supported"][0])
    document = each.get("document_details", {}).get("type", DISCOVERY["documents_supported"][0])
    if record not in DISCOVERY["electronic_records_supported"] or document not in DISCOVERY["documents_supported"]:
        yield "the kind of a record or document is advertised"
    if not _DATE.fullmatch(each.get("attestation", {}).get("date_of_issuance", "2026-11-25")):
        yield "date_of_issuance is a date"
    if not isinstance(each.get("record", {}).get("source", {}), dict):
        yield "a source is an object"


def asking(claims: dict[str, Any], verification: Any = ASKED, place: str = "userinfo") -> str:
    return json.dumps({place: {"verified_claims": {"verification": verification, "claims": claims}}})


def userinfo(rp: RelyingParty, scenery: Scenery, claims: str, name: str = "julie", scope: str = "openid") -> Any:
    """Return verified_claims as userinfo tells them, checked; None when there are none."""
    told = rp.tokens(scenery.browser(), name, claims=claims, scope=scope)
    found = rp.userinfo(told["access_token"]).get_json().get("verified_claims")
    for each in found if isinstance(found, list) else [found] if found else []:
        assert list(faults(each)) == []
    return found


@pytest.mark.parametrize("wish", [None, {}, {"essential": False}, {"essential": True}, {"purpose": "because"}])
def test_one_verified_claim_asked_in_every_way(scenery: Scenery, rp: RelyingParty, wish: Any) -> None:
    """happypath, happypath-emptyobject, happypath-essentialfalse: the claim, and of the verification what was asked."""
    told = userinfo(rp, scenery, asking({"given_name": wish}))

    assert told == {"verification": {"trust_framework": FRAMEWORK}, "claims": {"given_name": "Julie"}}


def test_unknown_claims_are_dropped_silently(scenery: Scenery, rp: RelyingParty) -> None:
    """unknown-claim-omitted, unknown-essential-claim-omitted, unknown-claim-specialchars-omitted."""
    unknown = {"a_b": None, "shoe_size": {"essential": True}, "é \"'<&>\n": {"value": "x"}, "birthdate": None}

    told = userinfo(rp, scenery, asking({"family_name": None, **unknown}))

    assert told["claims"] == {"family_name": "Pontvert"}
    assert userinfo(rp, scenery, asking(unknown)) is None


def test_a_claim_with_another_value_is_left_out(scenery: Scenery, rp: RelyingParty) -> None:
    """one-claim-with-random-value-omitted: the claim, or all when it was the only one; never an error, even if essential."""
    random = {"value": "8f2c", "essential": True}

    told = userinfo(rp, scenery, asking({"given_name": random, "family_name": {"values": ["x", "Pontvert"]}}))

    assert told["claims"] == {"family_name": "Pontvert"}
    assert userinfo(rp, scenery, asking({"given_name": random})) is None


@pytest.mark.parametrize("place", ["id_token", "userinfo"])
def test_they_come_where_they_were_asked_and_nowhere_else(scenery: Scenery, rp: RelyingParty, place: str) -> None:
    """request-only-in-idtoken, request-only-in-userinfo; no scope brings them, in neither place."""
    browser = scenery.browser()
    told = rp.tokens(browser, claims=asking({"given_name": None}, place=place))

    answered = {"id_token": rp.read(told["id_token"]), "userinfo": rp.userinfo(told["access_token"]).get_json()}
    assert [where for where, claims in answered.items() if "verified_claims" in claims] == [place]
    assert "verified_claims" not in rp.read(told["access_token"], "ES256", "https://portal.amp.example/")
    plain = rp.tokens(browser)
    assert "verified_claims" not in rp.read(plain["id_token"]) | rp.userinfo(plain["access_token"]).get_json()


@pytest.mark.databases
def test_all_that_is_recorded_can_be_asked(scenery: Scenery, rp: RelyingParty) -> None:
    """testuserprovidedrequest, testbasedonuserinfo-defaults: the answer equals the stored record, element by element."""
    record = delegation.verification(scenery.story)
    wish = {
        **{"trust_framework": {"value": FRAMEWORK}, "time": {"max_age": 60}, "verification_process": None},
        "evidence": [
            {"type": {"value": "electronic_record"}, "check_details": [{"check_method": None}], "record": None},
            {"type": {"value": "vouch"}, "time": None, "attestation": {"type": None, "voucher": None}},
        ],
    }

    told = userinfo(rp, scenery, asking({"given_name": None, "family_name": None, "authority": None}, wish))

    at = record.verified_at.isoformat().replace("+00:00", "Z")
    verification = told["verification"]
    assert (verification["time"], verification["trust_framework"]) == (at, FRAMEWORK)
    assert len(verification["verification_process"]) == 32
    assert verification["verification_process"] != record.file_id
    assert verification["evidence"] == [
        {
            "type": "electronic_record",
            "check_details": [{"check_method": "data"}],
            "record": {
                "type": "urn:mandat:record:enterprise_register",
                "source": {
                    "name": "Registraire des entreprises du Québec",
                    "country_code": "CA",
                    "jurisdiction": "CA-QC",
                },
            },
        },
        {
            "type": "vouch",
            "time": at,
            "attestation": {
                "type": "digital_attestation",
                "voucher": {"occupation": "pes", "organization": record.name},
            },
        },
    ]
    assert told["claims"]["authority"] == [
        {
            "applies_to": {
                "organization_name": "Construction Haute-Licorne inc.",
                "registration_number": STORY,
                "registered_jurisdiction": "CA-QC",
            },
            "permission": [{"role": "user"}],
            "granted_by": {"method": "delegated", "granting_body": "pes"},
        }
    ]


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": ["eidas", "nist_800_63A"]}},
        {"trust_framework": None, "assurance_level": {"value": "high"}},
        {"trust_framework": None, "assurance_process": {"policy": {"value": "x"}}},
        {"trust_framework": None, "verification_process": {"value": "x"}},
        {"trust_framework": {"max_age": 60}},
        {"trust_framework": None, "evidence": [{"type": {"value": "electronic_signature"}}]},
        {"trust_framework": None, "evidence": [{"type": {"value": "document"}}]},
        {
            "trust_framework": None,
            "evidence": [{"type": {"value": "electronic_record"}, "record": {"type": {"value": "birth_register"}}}],
        },
        {
            "trust_framework": None,
            "evidence": [{"type": {"value": "vouch"}, "attestation": {"voucher": {"name": {"value": "x"}}}}],
        },
        {
            "trust_framework": None,
            "evidence": [
                {"type": {"value": "electronic_record"}, "check_details": [{"check_method": {"value": "vri"}}]}
            ],
        },
        {"trust_framework": None, "evidence": [{"type": {"value": "electronic_record"}, "record": {"value": "x"}}]},
        {"trust_framework": None, "evidence": [{"type": {"value": "electronic_record"}, "record": [{"type": None}]}]},
        {"trust_framework": None, "time": {"deeper": {"value": "x"}}},
    ],
)
def test_a_demand_on_the_verification_that_is_not_met_leaves_everything_out(
    scenery: Scenery, rp: RelyingParty, verification: dict[str, Any]
) -> None:
    """test-userinfo-notfoundinop; IDA, data not matching requirements: no verified_claims, and no error."""
    assert userinfo(rp, scenery, asking({"given_name": None}, verification)) is None


def test_age_is_counted_from_the_verification_to_the_second(scenery: Scenery, rp: RelyingParty) -> None:
    """IDA, max_age: at userinfo by the clock of the call."""
    claims = asking({"given_name": None}, {"trust_framework": None, "time": {"max_age": 100}})
    told = rp.tokens(scenery.browser(), claims=claims, scope="openid")
    verified_at = delegation.verification(scenery.story).verified_at

    scenery.clock.advance(verified_at + timedelta(seconds=100) - scenery.clock.now())
    assert "verified_claims" in rp.userinfo(told["access_token"]).get_json()
    scenery.clock.advance(timedelta(seconds=1))
    assert "verified_claims" not in rp.userinfo(told["access_token"]).get_json()


def test_several_requests_are_answered_one_by_one(scenery: Scenery, rp: RelyingParty) -> None:
    """IDA, claims sets with different requirements: each that is met, in a list; one object for one object."""
    foreign = {"verification": {"trust_framework": {"value": "de_aml"}}, "claims": {"given_name": None}}
    ours = {"verification": {"trust_framework": {"value": FRAMEWORK}}, "claims": {"given_name": None}}
    other = {"verification": {"trust_framework": None, "time": None}, "claims": {"family_name": None}}

    told = userinfo(rp, scenery, json.dumps({"userinfo": {"verified_claims": [foreign, ours, other]}}))

    assert [each["claims"] for each in told] == [{"given_name": "Julie"}, {"family_name": "Pontvert"}]
    assert userinfo(rp, scenery, json.dumps({"userinfo": {"verified_claims": [foreign]}})) is None


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {},
        [],
        "x",
        [{"verification": ASKED, "claims": {"given_name": None}}] * 11,
        {"claims": {"given_name": None}},
        {"verification": None, "claims": {"given_name": None}},
        {"verification": {}, "claims": {"given_name": None}},
        {"verification": {"time": None}, "claims": {"given_name": None}},
        {"verification": [], "claims": {"given_name": None}},
        {"verification": {"trust_framework": "x"}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": []}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"values": []}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"purpose": 5}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "time": {"max_age": "1"}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "time": {"max_age": True}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "time": {"max_age": -1}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "evidence": None}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "evidence": []}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "evidence": ["x"]}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "evidence": [{}]}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": None, "evidence": [{"type": None}]}, "claims": {"given_name": None}},
        {
            "verification": {"trust_framework": None, "evidence": [{"type": {"values": ["vouch"]}}]},
            "claims": {"given_name": None},
        },
        {"verification": ASKED},
        {"verification": ASKED, "claims": None},
        {"verification": ASKED, "claims": {}},
        {"verification": ASKED, "claims": []},
        {"verification": ASKED, "claims": {"given_name": "x"}},
        {"verification": ASKED, "claims": {"given_name": []}},
        {"verification": ASKED, "claims": {"given_name": {"essential": 1}}},
    ],
)
def test_a_request_of_another_shape_is_refused(scenery: Scenery, rp: RelyingParty, request_: Any) -> None:
    """Schema verified_claims_request: verification with trust_framework, claims, evidence typed by one value."""
    for place in ("id_token", "userinfo"):
        answer = rp.answer(rp.authorize(scenery.browser(), claims=json.dumps({place: {"verified_claims": request_}})))

        assert (answer["error"], answer["state"]) == ("invalid_request", "s-1")


def test_each_person_is_told_by_who_stands_behind_them(scenery: Scenery, rp: RelyingParty) -> None:
    """The representative was verified with the enterprise; a PES is vouched for by them, a user by a PES."""
    wish = {"trust_framework": None, "evidence": [{"type": {"value": kind}} for kind in ("electronic_record", "vouch")]}
    claims = asking({"given_name": None, "authority": None}, wish)

    told = {name: userinfo(rp, scenery, claims, name) for name in ("ar", "pes", "julie")}

    kinds = {name: [each["type"] for each in one["verification"]["evidence"]] for name, one in told.items()}
    assert kinds == {
        "ar": ["electronic_record"],
        "pes": ["electronic_record", "vouch"],
        "julie": ["electronic_record", "vouch"],
    }
    granted = {name: one["claims"]["authority"][0]["granted_by"] for name, one in told.items()}
    assert granted == {
        "ar": {"method": "appointed", "granting_body": "Construction Haute-Licorne inc."},
        "pes": {"method": "delegated", "granting_body": "authorized_representative"},
        "julie": {"method": "delegated", "granting_body": "pes"},
    }


def test_who_may_not_know_the_enterprise_is_told_of_no_authority_over_it(
    scenery: Scenery, rp: RelyingParty, tmp_path: Path
) -> None:
    """S-32: within the client's scopes, here too."""
    load(scenery.app, scenery.clock, tmp_path, registration("names", scope="openid profile"))
    load(scenery.app, scenery.clock, tmp_path, registration("rights", scope="openid enterprise"))
    every = asking({"given_name": None, "family_name": None, "authority": None})

    told = {
        name: userinfo(RelyingParty(scenery, name), scenery, every)["claims"].keys() for name in ("names", "rights")
    }

    assert told == {"names": {"given_name", "family_name"}, "rights": {"authority"}}
    for element in ({"evidence": [{"type": {"value": "vouch"}, "attestation": None}]}, {"verification_process": None}):
        asked = asking({"given_name": None}, {"trust_framework": None, **element})
        assert userinfo(RelyingParty(scenery, "names"), scenery, asked) is None


def test_the_person_of_the_claims_is_the_person_of_the_token(scenery: Scenery, rp: RelyingParty) -> None:
    """Ginette of two enterprises is told for the one she acts for, with her role there; her name as accounts know it."""
    claims = asking({"given_name": None, "authority": None})

    for neq, role in ((STORY, "user"), ("3300000018", "pes")):
        told = rp.tokens(scenery.browser(), "ginette", neq, claims=claims, scope="openid enterprise")
        answer = rp.userinfo(told["access_token"]).get_json()
        (authority,) = answer["verified_claims"]["claims"]["authority"]
        assert (authority["applies_to"]["registration_number"], authority["permission"]) == (neq, [{"role": role}])
        assert answer["enterprise"]["neq"] == neq
        person = accounts.person(scenery.people["ginette"].person_id)
        assert answer["verified_claims"]["claims"]["given_name"] == person.given_name


def test_a_name_is_told_as_it_was_vouched_for(scenery: Scenery, rp: RelyingParty) -> None:
    """Julie takes another name: her account says it at once, the evidence of before does not (§5.1: what was verified)."""
    asked = {
        "userinfo": {"family_name": None, "verified_claims": {"verification": ASKED, "claims": {"family_name": None}}}
    }
    before = userinfo(rp, scenery, asking({"family_name": None}))

    julie = scenery.people["julie"].person_id
    name_services.change(julie, given_name="Ada", family_name="Autre", now=scenery.clock.now())

    told = rp.tokens(scenery.browser(), "julie", STORY, claims=json.dumps(asked), scope="openid profile")
    answer = rp.userinfo(told["access_token"]).get_json()
    assert answer["family_name"] == "Autre"
    assert answer["verified_claims"] == before


RECORD = VerificationRecord(
    neq=STORY,
    name="Construction Haute-Licorne inc.",
    legal_form="Société par actions",
    method="online",
    verified_at=NOW - timedelta(days=2),
    verified_by="operator-7f",
    evidence=("register", "tax_agency", "tax_officer", "tax_notice"),
    file_id="file-9e",
    authorized_representative=PersonId("ar"),
)
OF_THE_AR = Assurance("ref", RECORD, PersonId("ar"), (HeldRole(Role.AUTHORIZED_REPRESENTATIVE, RECORD.verified_at),))
WHOLE = {"given_name": "Éléonore", "family_name": "Hautelicorne"}


@pytest.mark.parametrize(
    ("method", "evidence", "timed"),
    [
        ("online", ("register", "tax_agency", "tax_officer", "tax_notice"), 4),
        ("mailed_code", ("register", "tax_agency", "tax_officer", "mailed_code"), 1),
        ("document", ("register", "procuration", "resolution"), 2),
        ("document", ("company_document", "other"), 2),
        ("document", (), 0),
    ],
)
def test_every_way_to_be_verified_gives_a_valid_object(method: Any, evidence: tuple[str, ...], timed: int) -> None:
    """Each kind of evidence that enrolment records; a time only where the check is what completed the verification."""
    record = replace(RECORD, method=method, evidence=evidence)

    told = verified_claims.known(replace(OF_THE_AR, record=record), **WHOLE)

    assert list(faults(told)) == []
    listed = told["verification"].get("evidence", [])
    assert (len(listed), sum("time" in each for each in listed)) == (len(evidence), timed)
    (authority,) = told["claims"]["authority"]
    assert authority["granted_by"]["method"] == ("delegated" if "procuration" in evidence else "appointed")
    assert not {"operator-7f", "file-9e"} & set(re.findall(r"[\w-]+", json.dumps(told)))


def test_a_representative_is_never_vouched_for_even_in_another_role() -> None:
    """Who was verified was verified: the time is that of the verification, and each role is told with its own grant."""
    roles = (*OF_THE_AR.roles, HeldRole(Role.PES, NOW))

    told = verified_claims.known(replace(OF_THE_AR, roles=roles), **WHOLE)

    assert {each["type"] for each in told["verification"]["evidence"]} == {"electronic_record"}
    assert told["verification"]["time"] == "2026-11-23T12:00:00Z"
    granted = [each["granted_by"]["method"] for each in told["claims"]["authority"]]
    assert granted == ["appointed", "delegated"]
    other = verified_claims.known(replace(OF_THE_AR, person_id=PersonId("p"), roles=roles[1:]), **WHOLE)
    assert other["verification"]["time"] == "2026-11-25T12:00:00Z"


def test_every_kind_that_discovery_names_can_occur() -> None:
    """S-14: nothing is advertised that no enrolment gives; what enrolment records and we do not know is not told."""
    every = (*verified_claims.RECORDS, *verified_claims.DOCUMENTS, "something_new")
    both = (HeldRole(Role.PES, NOW), HeldRole(Role.USER, NOW))
    told = verified_claims.known(
        Assurance("ref", replace(RECORD, evidence=every), PersonId("p"), both), given_name="J", family_name="P"
    )
    evidence = told["verification"]["evidence"]

    assert {each["type"] for each in evidence} == set(DISCOVERY["evidence_supported"])
    records = [each["record"]["type"] for each in evidence if "record" in each]
    documents = [each["document_details"]["type"] for each in evidence if "document_details" in each]
    assert records == DISCOVERY["electronic_records_supported"]
    assert documents == DISCOVERY["documents_supported"]
    assert set(told["claims"]) == set(DISCOVERY["claims_in_verified_claims_supported"])
    assert (DISCOVERY["verified_claims_supported"], DISCOVERY["claims_parameter_supported"]) == (True, True)


_wish = st.sampled_from(
    [None, {}, {"value": "x"}, {"values": [FRAMEWORK, "vouch"]}, {"max_age": 10**8}, {"deep": {"value": 1}}]
)
_entry = st.fixed_dictionaries(
    {"type": st.sampled_from([{"value": kind} for kind in ("electronic_record", "document", "vouch", "x")])},
    optional=dict.fromkeys(("time", "record", "attestation"), _wish) | {"check_details": st.lists(st.just({}))},
)
_request = st.fixed_dictionaries(
    {
        "verification": st.fixed_dictionaries(
            {"trust_framework": _wish},
            optional=dict.fromkeys(("time", "verification_process", "assurance_level"), _wish)
            | {"evidence": st.lists(_entry, min_size=1, max_size=3)},
        ),
        "claims": st.dictionaries(st.sampled_from([*verified_claims.CLAIMS, "x"]), _wish, min_size=1),
    }
)


def _within(told: Any, stored: Any) -> bool:
    """Tell whether *told* is a part of *stored*."""
    if isinstance(told, dict):
        return isinstance(stored, dict) and all(k in stored and _within(v, stored[k]) for k, v in told.items())
    if isinstance(told, list):
        return isinstance(stored, list) and all(any(_within(each, one) for one in stored) for each in told)
    return bool(told == stored)


@given(_request)
def test_an_answer_is_a_valid_part_of_the_record_and_of_the_request(request_: dict[str, Any]) -> None:
    """Whatever is asked: valid by the schema or absent, never more than recorded, never a member that was not asked."""
    stored = verified_claims.known(
        replace(OF_THE_AR, person_id=PersonId("p"), roles=(HeldRole(Role.USER, NOW),)), **WHOLE
    )

    told = verified_requests.answer(verified_requests.checked(request_), stored, now=NOW)

    if told is None:
        return
    assert isinstance(told, dict)
    assert list(faults(told)) == []
    assert _within(told, stored)
    assert told["verification"].keys() <= request_["verification"].keys()
    assert told["claims"].keys() <= request_["claims"].keys()
