"""The authority of random histories: the invariants 1, 2, 3, 6 and 8 of claims.md, as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from idp.delegation.people.domain.roles import EnterpriseStatus, MembershipStatus, Role
from idp.delegation.rights.domain.authority import (
    UNRESTRICTED,
    AuthorityFacts,
    GrantFact,
    MembershipFact,
    assemble,
    covers,
    next_change,
)
from idp.delegation.rights.domain.explain import LinkKind, Missing, explain
from idp.delegation.rights.domain.rights_claims import authorization_details, blocks_in, project, projection_digest

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
CODES = ("001", "005", "007", "008", "018", "019", "024")
SCOPES = frozenset({"openid", "enterprise", "functional_blocks"})

instants = st.integers(-400, 800).map(lambda days: NOW + timedelta(days=days, seconds=1))
codes = st.frozensets(st.sampled_from(CODES))


@st.composite
def grants(draw: st.DrawFn) -> GrantFact:
    start = draw(instants)
    return GrantFact(
        id=f"g_{draw(st.integers(0, 10**9))}",
        block=draw(st.sampled_from((*CODES, UNRESTRICTED, "099"))),
        not_before=start,
        not_after=start + timedelta(days=draw(st.integers(1, 730))),
        granted_by="p_pes",
        granted_at=start,
        revoked_at=draw(st.none() | st.just(start + timedelta(hours=1))),
    )


memberships = st.builds(
    MembershipFact,
    id=st.uuids().map(str),
    role=st.sampled_from(Role),
    status=st.sampled_from(MembershipStatus),
    grants=st.lists(grants(), max_size=6).map(tuple),
)
histories = st.builds(
    AuthorityFacts,
    person_id=st.just("p"),
    enterprise_id=st.just("e"),
    neq=st.just("1100000455"),
    enterprise_name=st.just("Construction Haute-Licorne inc."),
    enterprise_status=st.sampled_from(EnterpriseStatus),
    agency_id=st.just("amp"),
    locations=st.just(("https://portal.amp.example/",)),
    catalogue_version=st.just("2026-11"),
    subscribed=st.none() | codes,
    offered=codes,
    memberships=st.lists(memberships, max_size=3).map(tuple),
)


def facts(**changed: object) -> AuthorityFacts:
    """Return a user with 001 and 008 granted for a year, and change what the test is about."""
    end = NOW + timedelta(days=365)
    held = tuple(GrantFact(f"g_{code}", code, NOW - timedelta(days=1), end, "p_pes", NOW) for code in ("001", "008"))
    members = {
        "person_id": "p",
        "enterprise_id": "e",
        "neq": "1100000455",
        "enterprise_name": "Construction Haute-Licorne inc.",
        "enterprise_status": EnterpriseStatus.ACTIVE,
        "agency_id": "amp",
        "locations": ("https://portal.amp.example/",),
        "catalogue_version": "2026-11",
        "subscribed": frozenset(CODES),
        "offered": frozenset(CODES),
        "memberships": (MembershipFact("m", Role.USER, MembershipStatus.ACTIVE, held),),
    }
    return AuthorityFacts(**(members | changed))  # type: ignore[arg-type]


def member(role: Role, *held: GrantFact, status: MembershipStatus = MembershipStatus.ACTIVE) -> MembershipFact:
    return MembershipFact(f"m_{role}", role, status, held)


def a_grant(block: str, days: int = 365, id: str | None = None) -> GrantFact:
    return GrantFact(id or f"g_{block}", block, NOW, NOW + timedelta(days=days), "p_pes", NOW)


@given(histories)
def test_claims_never_exceed_rights_granted_and_in_force(history: AuthorityFacts) -> None:
    """Each block comes from a live grant of an active membership, or from being a PES, and from the subscription."""
    authority = assemble(history, NOW, version=1)

    if authority is None:
        return
    active = [m for m in history.memberships if m.status is MembershipStatus.ACTIVE]
    live = [g for m in active for g in m.grants if g.revoked_at is None and g.not_before <= NOW < g.not_after]
    for code in authority.blocks:
        assert code in (history.subscribed or ())
        assert code in history.offered
        assert authority.role is Role.PES or any(covers(grant, code) for grant in live)


@given(histories)
def test_compact_and_exact_layers_agree(history: AuthorityFacts) -> None:
    """functional_blocks is the union of the privileges, without a wildcard, null or empty text."""
    authority = assemble(history, NOW, version=1)

    if authority is None:
        return
    details = authorization_details(authority)
    claims = project(authority, SCOPES)
    assert frozenset(claims["functional_blocks"]) == blocks_in(details)
    assert UNRESTRICTED not in claims["functional_blocks"]
    for value in (claims, *details):
        assert None not in value.values()
        assert "" not in value.values()


@given(histories)
def test_no_right_ends_before_the_earliest_end(history: AuthorityFacts) -> None:
    """A token bounded by earliest_end outlives none of the rights it carries."""
    authority = assemble(history, NOW, version=1)

    if authority is None or authority.earliest_end is None:
        return
    assert authority.earliest_end > NOW
    for detail in authorization_details(authority):
        assert int(authority.earliest_end.timestamp()) <= detail.get("not_after", 2**40)


@given(histories, st.sampled_from((*CODES, "099")))
def test_explain_says_allow_exactly_when_the_authority_holds_the_block(history: AuthorityFacts, code: str) -> None:
    """The chain and the claims cannot disagree; a refusal ends with the first missing link."""
    authority = assemble(history, NOW, version=1)

    explanation = explain(history, code, NOW)

    assert explanation.allowed == (authority is not None and code in authority.blocks)
    assert [link.holds for link in explanation.links[:-1]] == [True] * (len(explanation.links) - 1)


@given(histories)
def test_nothing_changes_before_the_next_change(history: AuthorityFacts) -> None:
    """Dates alone change nothing until the instant the sweeper waits for."""
    ahead = next_change(history, NOW)
    moment = (ahead or NOW + timedelta(days=5000)) - timedelta(microseconds=1)

    before = projection_digest(assemble(history, NOW, version=1))

    assert projection_digest(assemble(history, moment, version=9)) == before


def test_a_pes_holds_the_subscription_without_grants_or_dates() -> None:
    """The rights of a PES are those of the subscription (decisions.md §16)."""
    authority = assemble(facts(memberships=(member(Role.PES),)), NOW, version=1)

    assert authority is not None
    assert authority.blocks == CODES
    assert authorization_details(authority)[0].keys() & {"not_after", "grants"} == set()


def test_an_authorized_representative_acts_without_blocks() -> None:
    """An AR who is neither PES nor user has an empty list, which is not an absent one (decisions.md §1)."""
    authority = assemble(facts(memberships=(member(Role.AUTHORIZED_REPRESENTATIVE),)), NOW, version=1)

    assert authority is not None
    claims = project(authority, SCOPES)
    assert claims["functional_blocks"] == []
    assert claims["representation"]["role"] == "authorized_representative"


def test_roles_have_a_precedence() -> None:
    """A PES who is also AR and user is shown as PES; a suspended PES falls back on the role that is left."""
    everything = (member(Role.USER, a_grant("001")), member(Role.AUTHORIZED_REPRESENTATIVE), member(Role.PES))
    pes = assemble(facts(memberships=everything), NOW, version=1)
    suspended = (*everything[:2], member(Role.PES, status=MembershipStatus.SUSPENDED))
    representative = assemble(facts(memberships=suspended), NOW, version=1)

    assert pes is not None
    assert representative is not None
    assert (pes.role, representative.role) == (Role.PES, Role.AUTHORIZED_REPRESENTATIVE)
    assert representative.blocks == ("001",)


def test_unrestricted_is_expanded_to_explicit_codes_that_are_not_retired() -> None:
    """No wildcard leaves the provider, and a retired block is not issued."""
    user = member(Role.USER, a_grant(UNRESTRICTED))
    authority = assemble(facts(memberships=(user,), offered=frozenset(CODES) - {"024"}), NOW, version=1)

    assert authority is not None
    assert authority.blocks == ("001", "005", "007", "008", "018", "019")


def test_blocks_with_other_end_dates_are_told_apart() -> None:
    """Objects are homogeneous: one for each end date; a block goes with the grant that carries it furthest."""
    user = member(Role.USER, a_grant("001", 10), a_grant("008", 30), a_grant("001", 30, id="g_longer"))
    authority = assemble(facts(memberships=(user,)), NOW, version=1)

    assert authority is not None
    assert [(part.blocks, part.grants) for part in authority.held] == [(("001", "008"), ("g_008", "g_longer"))]


def test_a_right_ends_at_its_end() -> None:
    """At the last instant the right is gone: exp and not_after are outside."""
    end = NOW + timedelta(days=365)

    assert assemble(facts(), end - timedelta(seconds=1), version=1).blocks == ("001", "008")  # type: ignore[union-attr]
    assert assemble(facts(), end, version=1).blocks == ()  # type: ignore[union-attr]


def test_an_enterprise_that_is_suspended_acts_through_nobody() -> None:
    """Tokens are issued only for an active enterprise (decisions.md §16)."""
    assert assemble(facts(enterprise_status=EnterpriseStatus.SUSPENDED), NOW, version=1) is None


def test_the_sample_of_the_claims_contract() -> None:
    """The claims have the names and shapes that claims.md promises."""
    authority = assemble(facts(), NOW, version=42)

    assert authority is not None
    assert project(authority, SCOPES) == {
        "enterprise": {
            "id": "neq:1100000455",
            "neq": "1100000455",
            "name": "Construction Haute-Licorne inc.",
            "status": "active",
        },
        "representation": {"role": "user", "basis": "direct", "version": 42},
        "functional_blocks": ["001", "008"],
    }
    assert authorization_details(authority) == [
        {
            "type": "functional_blocks",
            "locations": ["https://portal.amp.example/"],
            "identifier": "neq:1100000455",
            "privileges": ["001", "008"],
            "agency": "amp",
            "catalogue": "2026-11",
            "basis": "direct",
            "not_after": int((NOW + timedelta(days=365)).timestamp()),
            "grants": ["g_001", "g_008"],
        }
    ]


def test_scopes_decide_what_is_told() -> None:
    """Without the scope nothing about enterprises is said; the blocks never come without their enterprise."""
    authority = assemble(facts(), NOW, version=1)

    assert authority is not None
    assert project(authority, frozenset({"openid", "profile"})) == {}
    assert set(project(authority, frozenset({"enterprise"}))) == {"enterprise", "representation"}
    assert "enterprise" in project(authority, frozenset({"functional_blocks"}))


def test_the_digest_ignores_the_version_and_nothing_else() -> None:
    """The same projection has the same digest whatever its version; an other end date is an other projection."""
    first = projection_digest(assemble(facts(), NOW, version=1))
    renewed = member(Role.USER, a_grant("001", 400), a_grant("008", 400))

    assert projection_digest(assemble(facts(), NOW, version=2)) == first
    assert projection_digest(assemble(facts(memberships=(renewed,)), NOW, version=1)) != first
    assert projection_digest(assemble(facts(enterprise_name="Renommée inc."), NOW, version=1)) != first


def test_explanations_name_the_first_missing_link() -> None:
    """Each way to lack a block is told apart."""
    revoked = GrantFact("g", "001", NOW, NOW + timedelta(days=9), "p_pes", NOW, revoked_at=NOW, revoked_by="p_pes")
    early = GrantFact("g", "001", NOW + timedelta(days=1), NOW + timedelta(days=9), "p_pes", NOW)
    over = GrantFact("g", "001", NOW - timedelta(days=9), NOW, "p_pes", NOW)
    table = (
        ({"enterprise_status": EnterpriseStatus.SUSPENDED}, LinkKind.ENTERPRISE, Missing.ENTERPRISE_SUSPENDED),
        ({"subscribed": None}, LinkKind.SUBSCRIPTION, Missing.NOT_SUBSCRIBED),
        ({"offered": frozenset({"008"})}, LinkKind.BLOCK, Missing.UNKNOWN_BLOCK),
        ({"subscribed": frozenset({"008"})}, LinkKind.BLOCK, Missing.BLOCK_NOT_SUBSCRIBED),
        ({"memberships": ()}, LinkKind.MEMBERSHIP, Missing.MEMBER_REMOVED),
        (
            {"memberships": (member(Role.USER, status=MembershipStatus.SUSPENDED),)},
            LinkKind.MEMBERSHIP,
            Missing.MEMBER_SUSPENDED,
        ),
        ({"memberships": (member(Role.USER),)}, LinkKind.GRANT, Missing.NEVER_GRANTED),
        ({"memberships": (member(Role.USER, revoked),)}, LinkKind.GRANT, Missing.REVOKED),
        ({"memberships": (member(Role.USER, early),)}, LinkKind.GRANT, Missing.NOT_YET),
        ({"memberships": (member(Role.USER, over),)}, LinkKind.GRANT, Missing.ENDED),
    )
    for changed, kind, missing in table:
        last = explain(facts(**changed), "001", NOW).links[-1]

        assert (last.kind, last.missing) == (kind, missing)
