"""The six files of the register's open data, and what is kept of each row (domain.md §7)."""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import Any

from ..identifiers import NEQ_FAMILIES
from ..names import readable
from .csv_files import Layout, Row, columns
from .enterprise_register import RegistrationStatus
from .errors import Faults

ENTERPRISES = Layout(
    "Entreprise",
    columns("""NEQ IND_FAIL DAT_IMMAT COD_REGIM_JURI COD_INTVAL_EMPLO_QUE DAT_CESS_PREVU COD_STAT_IMMAT COD_FORME_JURI
        DAT_STAT_IMMAT COD_REGIM_JURI_CONSTI DAT_DEPO_DECLR AN_DECL AN_PROD DAT_LIMIT_PROD AN_PROD_PRE
        DAT_LIMIT_PROD_PRE DAT_MAJ_INDEX_NOM COD_ACT_ECON_CAE NO_ACT_ECON_ASSUJ DESC_ACT_ECON_ASSUJ COD_ACT_ECON_CAE2
        NO_ACT_ECON_ASSUJ2 DESC_ACT_ECON_ASSUJ2 NOM_LOCLT_CONSTI DAT_CONSTI IND_CONVEN_UNMN_ACTNR IND_RET_TOUT_POUVR
        IND_LIMIT_RESP DAT_DEB_RESP DAT_FIN_RESP OBJET_SOC NO_MTR_VOLONT ADR_DOMCL_ADR_DISP ADR_DOMCL_LIGN1_ADR
        ADR_DOMCL_LIGN2_ADR ADR_DOMCL_LIGN3_ADR ADR_DOMCL_LIGN4_ADR"""),
    columns("""NEQ COD_STAT_IMMAT DAT_STAT_IMMAT COD_FORME_JURI IND_FAIL ADR_DOMCL_LIGN1_ADR ADR_DOMCL_LIGN2_ADR
        ADR_DOMCL_LIGN3_ADR ADR_DOMCL_LIGN4_ADR"""),
)
_NAMES = columns("NEQ NOM_ASSUJ NOM_ASSUJ_LANG_ETRNG STAT_NOM TYP_NOM_ASSUJ DAT_INIT_NOM_ASSUJ DAT_FIN_NOM_ASSUJ")
NAMES = Layout("Nom", _NAMES, _NAMES)
ESTABLISHMENTS = Layout(
    "Etablissement",
    columns("""NEQ NO_SUF_ETAB IND_ETAB_PRINC IND_SALON_BRONZ IND_VENTE_TABAC_DETL IND_DISP LIGN1_ADR LIGN2_ADR LIGN3_ADR
        LIGN4_ADR COD_ACT_ECON DESC_ACT_ECON_ETAB NO_ACT_ECON_ETAB COD_ACT_ECON2 DESC_ACT_ECON_ETAB2 NO_ACT_ECON_ETAB2
        NOM_ETAB"""),
    columns("NEQ IND_ETAB_PRINC NOM_ETAB LIGN1_ADR LIGN2_ADR LIGN3_ADR LIGN4_ADR"),
)
MERGERS = Layout(
    "Fusion",
    columns("""NEQ NEQ_ASSUJ_REL DENOMN_SOC COD_RELA_ASSUJ DAT_EFCTVT IND_DISP LIGN1_ADR LIGN2_ADR LIGN3_ADR
        LIGN4_ADR"""),
    ("NEQ", "NEQ_ASSUJ_REL", "COD_RELA_ASSUJ", "DAT_EFCTVT"),
)
CONTINUATIONS = Layout(
    "Continuation",
    ("NEQ", "COD_TYP_CHANG", "COD_REGIM_JURI", "AUTR_REGIM_JURI", "NOM_LOCLT", "DAT_EFCTVT"),
    ("NEQ", "DAT_EFCTVT"),
)
_LABELS = ("TYP_DOM_VAL", "COD_DOM_VAL", "VAL_DOM_FRAN")  # VAL_DOM_ENG may be there too
LABELS = Layout("DomaineValeur", _LABELS, _LABELS)
LAYOUTS = (LABELS, ENTERPRISES, NAMES, MERGERS, ESTABLISHMENTS, CONTINUATIONS)

_STATUSES = frozenset(RegistrationStatus)
_NAME_STATUSES = frozenset("VAFR")
_INDICATORS = frozenset(("O", "N", ""))
Kept = Iterator[tuple[Any, ...]]


class NeqSet:
    """A set of NEQ in a fixed amount of memory: one bit for each of the hundred million numbers of a family."""

    def __init__(self) -> None:
        self._bits = {family: mmap(-1, 12_500_000) for family in NEQ_FAMILIES}  # zeros; pages untouched cost nothing

    def __contains__(self, neq: str) -> bool:
        number = int(neq[2:])
        return bool(self._bits[neq[:2]][number >> 3] & (1 << (number & 7)))

    def add(self, neq: str) -> bool:
        """Add *neq* and return whether it is new."""
        if neq in self:
            return False
        number = int(neq[2:])
        self._bits[neq[:2]][number >> 3] |= 1 << (number & 7)
        return True


def is_neq(text: str) -> bool:
    """Return whether the register may write *text* as a NEQ; the check digit is left to the register."""
    return len(text) == 10 and text.isascii() and text.isdigit() and text[:2] in NEQ_FAMILIES


def enterprises(rows: Iterator[Row], name: str, known: NeqSet, faults: Faults) -> Kept:
    """Keep the columns used from Entreprise.csv; each NEQ occurs once."""
    for line, (neq, status, since, form, bankrupt, *address) in rows:
        if not is_neq(neq):
            faults.add(name, line, "NEQ: not a Québec enterprise number")
        elif not known.add(neq):
            faults.add(name, line, f"NEQ {neq} is there twice")
        elif status not in _STATUSES:
            faults.add(name, line, f"COD_STAT_IMMAT: unknown code {status[:10]!r}")
        elif bankrupt not in _INDICATORS:
            faults.add(name, line, f"IND_FAIL: unknown value {bankrupt[:10]!r}")
        else:
            yield neq, status, since or None, form, bankrupt == "O", *address


def names(rows: Iterator[Row], name: str, known: NeqSet, faults: Faults) -> Kept:
    """Keep every name: which one is current is read from its status and type."""
    for line, (neq, text, foreign, status, kind, began, ended) in rows:
        if status not in _NAME_STATUSES:
            faults.add(name, line, f"STAT_NOM: unknown code {status[:10]!r}")
        elif _is_known(neq, name, line, known, faults):
            yield neq, line, readable(text), readable(foreign), status, kind, began or None, ended or None


def mergers(rows: Iterator[Row], name: str, known: NeqSet, faults: Faults) -> Kept:
    """Keep the pairs of NEQ; a component outside the register has none."""
    for line, (result, component, relation, effective) in rows:
        if component and not is_neq(component):
            faults.add(name, line, "NEQ_ASSUJ_REL: not a Québec enterprise number")
        elif _is_known(result, name, line, known, faults) and component:
            yield component, line, result, relation, effective or None


def establishments(rows: Iterator[Row], name: str, known: NeqSet, faults: Faults) -> Kept:
    """Keep the principal establishment."""
    for line, (neq, principal, text, *address) in rows:
        if _is_known(neq, name, line, known, faults) and principal == "O":
            yield neq, line, readable(text), *address


def continuations(rows: Iterator[Row], name: str, known: NeqSet, faults: Faults) -> Kept:
    """Keep nothing: the file is only checked."""
    for line, (neq, _effective) in rows:
        _is_known(neq, name, line, known, faults)
    yield from ()


def labels(rows: Iterator[Row], name: str, _known: NeqSet, faults: Faults) -> Kept:
    """Keep the French label of each code of each type; the file is small."""
    seen = set()
    for line, (kind, code, label) in rows:
        if (kind, code) in seen:
            faults.add(name, line, f"code {code[:20]!r} is there twice under {kind[:20]!r}")
        else:
            seen.add((kind, code))
            yield kind, code, label


def _is_known(neq: str, name: str, line: int, known: NeqSet, faults: Faults) -> bool:
    if is_neq(neq) and neq in known:
        return True
    problem = "is not in the file of enterprises" if is_neq(neq) else "not a Québec enterprise number"
    faults.add(name, line, f"NEQ: {problem}")
    return False
