"""The import of the register: whole or not at all, and every refusal says where."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from idp.audit.models import AuditEntry
from idp.connectors import generations
from idp.connectors.errors import FAULTS_SHOWN, FileFault, ImportRefusedError
from idp.connectors.local import LocalRegister
from idp.connectors.models import (
    ImportHead,
    ImportRun,
    RegisterEnterprise,
    RegisterEstablishment,
    RegisterLabel,
    RegisterMerger,
    RegisterName,
)
from idp.connectors.register_files import NeqSet
from idp.connectors.register_import import ImportCounts, import_register
from idp.db import db, transaction
from idp.identifiers import Neq

TABLES = (RegisterEnterprise, RegisterName, RegisterMerger, RegisterEstablishment, RegisterLabel)
FIRST = Neq("1100000018")


def refusal(path: Path, now: datetime) -> tuple[FileFault, ...]:
    with pytest.raises(ImportRefusedError) as raised:
        import_register(path, now)
    return raised.value.faults


def rows_left() -> list[int]:
    with transaction() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


def edit(req: Path, name: str, change: Callable[[str], str]) -> None:
    path = req / name
    path.write_text(change(path.read_text(encoding="utf-8-sig")), encoding="utf-8-sig", newline="")


@pytest.mark.databases
def test_the_synthetic_register_is_imported_and_told_to_the_log(app: Flask, req: Path, now: datetime) -> None:
    """64 enterprises, 79 names, 67 establishments, 4 mergers and divisions, 4 changes, 57 labels."""
    counts = import_register(req, now)

    assert counts == ImportCounts(57, 64, 79, 4, 67, 4)
    assert counts.total == 275
    assert rows_left() == [64, 79, 3, 62, 57]
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.event, entry.actor_kind) == ("register:imported", "system")
    assert {"enterprises": 64, "names": 79}.items() <= entry.details.items()


@pytest.mark.databases
def test_a_second_import_replaces_the_first_whole(app: Flask, req: Path, now: datetime) -> None:
    """The former generation is removed after the switch, and what is gone is gone."""
    import_register(req, now)
    edit(req, "Entreprise.csv", lambda text: text.replace('"1100000216","O"', '"1100000216","N"'))

    import_register(req, now + timedelta(days=15))

    entry = LocalRegister().look_up(Neq("1100000216"))
    assert entry is not None
    assert not entry.bankrupt
    assert rows_left() == [64, 79, 3, 62, 57]
    assert [run.state for run in db.session.scalars(select(ImportRun).order_by(ImportRun.generation))] == [
        "removed",
        "current",
    ]


def test_a_zip_is_read_like_a_folder(app: Flask, req: Path, now: datetime, tmp_path: Path) -> None:
    """The publisher's zip, even with its files in a folder."""
    archive = _zip(req, tmp_path / "JeuDonnees.zip")

    assert import_register(archive, now).enterprises == 64


def _zip(req: Path, to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in req.iterdir():
            archive.write(file, f"jeu/{file.name}")
    return to


def test_file_names_are_singular_or_plural_and_column_order_is_free(app: Flask, req: Path, now: datetime) -> None:
    """Names match by prefix; columns by the header; an English label may be there."""
    (req / "Entreprise.csv").rename(req / "Entreprises.csv")
    (req / "FusionScissions.csv").rename(req / "FusionsScissions.csv")
    with (req / "DomaineValeur.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [{**row, "VAL_DOM_ENG": "x"} for row in csv.DictReader(file)]
    with (req / "DomaineValeur.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, ["VAL_DOM_ENG", "VAL_DOM_FRAN", "COD_DOM_VAL", "TYP_DOM_VAL"])
        writer.writeheader()
        writer.writerows(rows)

    assert import_register(req, now).labels == 57
    entry = LocalRegister().look_up(FIRST)
    assert entry is not None
    assert entry.status_label == "Immatriculée"


def test_a_quoted_value_may_hold_line_breaks_commas_and_quotes(app: Flask, req: Path, now: datetime) -> None:
    """Real CSV: the lines counted are those of the file, so a later fault is still placed right."""
    name = 'Toitures ""B"",\nBrumeplume inc.'
    edit(req, "Nom.csv", lambda text: text.replace('"Toitures Brumeplume inc."', f'"{name}"', 1))
    import_register(req, now)
    entry = LocalRegister().look_up(FIRST)
    assert entry is not None
    assert entry.name == 'Toitures "B",\nBrumeplume inc.'

    edit(req, "Nom.csv", lambda text: text.replace('"1100001230"', '"11000O1230"', 1))
    lines = (req / "Nom.csv").read_text(encoding="utf-8-sig").splitlines()
    wanted = next(number for number, line in enumerate(lines, 1) if "11000O1230" in line)
    assert refusal(req, now) == (FileFault("Nom.csv", wanted, "NEQ: not a Québec enterprise number"),)


def _cut(text: str) -> str:
    return text[: len(text) - 20]


def _cut_at_a_comma(text: str) -> str:
    return text[: text.rindex('","') + 1]


def _again(text: str) -> str:
    return text + text.splitlines(keepends=True)[1]


def _without(column: str) -> Callable[[str], str]:
    return lambda text: text.replace(f"{column},", "", 1)


BROKEN: list[tuple[str, str, Callable[[str], str], int | None, str]] = [
    ("cut in a value", "Entreprise.csv", _cut, 65, "cut"),
    ("cut after a value", "Entreprise.csv", _cut_at_a_comma, 65, "36 values instead of 37"),
    ("NEQ twice", "Entreprise.csv", _again, 66, "NEQ 1100000018 is there twice"),
    ("status", "Entreprise.csv", lambda t: t.replace('"IM"', '"XX"', 1), 2, "COD_STAT_IMMAT: unknown code 'XX'"),
    ("indicator", "Entreprise.csv", lambda t: t.replace('018","N"', '018","?"', 1), 2, "IND_FAIL: unknown value '?'"),
    ("date", "Entreprise.csv", lambda t: t.replace("2009-05-04", "2009-02-30", 1), 2, "not a date"),
    ("date of another calendar", "Nom.csv", lambda t: t.replace("2016-03-31", "2016-W01-1", 1), 2, "DAT_FIN_NOM_ASSUJ"),
    ("column", "Entreprise.csv", _without("COD_STAT_IMMAT"), 1, "columns missing: COD_STAT_IMMAT"),
    ("column twice", "Nom.csv", lambda t: t.replace("NOM,", "NOM,NEQ,", 1), 1, "there twice: NEQ"),
    ("empty", "Nom.csv", lambda t: "", 1, "columns missing: NEQ, NOM_ASSUJ"),
    ("no enterprise", "Entreprise.csv", lambda t: t.splitlines()[0] + "\n", None, "no enterprise"),
    ("NEQ", "Entreprise.csv", lambda t: t.replace("1100000018", "4400000018", 1), 2, "not a Québec enterprise number"),
    ("name status", "Nom.csv", lambda t: t.replace('"V","N"', '"Z","N"', 1), 3, "STAT_NOM: unknown code 'Z'"),
    ("orphan name", "Nom.csv", lambda t: t.replace("1100000018", "1100009993", 1), 2, "not in the file of enterprises"),
    ("quotes", "Nom.csv", lambda t: t.replace('"V","N"', '"V"x,"N"', 1), 3, "not a CSV row"),
    ("label twice", "DomaineValeur.csv", _again, 59, "code 'IM' is there twice under 'STAT_IMMAT'"),
    ("NUL", "Nom.csv", lambda t: t.replace("Couvreurs", "Couv\0reurs", 1), 4, "NUL"),
    ("component", "FusionScissions.csv", lambda t: t.replace("1100000281", "x", 1), 2, "NEQ_ASSUJ_REL"),
    ("change", "ContinuationsTransformations.csv", lambda t: t.replace("2019-06-30", "30/06/2019"), 2, "not a date"),
    ("establishment", "Etablissements.csv", lambda t: t.replace("1100000018", "", 1), 2, "NEQ"),
]


@pytest.mark.parametrize(
    ("file", "change", "line", "words"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_a_broken_file_is_refused_by_name_and_line_and_the_old_data_stay(
    app: Flask, req: Path, now: datetime, file: str, change: Callable[[str], str], line: int | None, words: str
) -> None:
    """Nothing of the new files is kept, nothing of the old is lost, and the log tells of one import only."""
    import_register(req, now)
    edit(req, file, change)

    faults = refusal(req, now)

    assert (faults[0].file, faults[0].line) == (file, line)
    assert words in faults[0].problem
    assert rows_left() == [64, 79, 3, 62, 57]
    assert LocalRegister().look_up(FIRST) is not None
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 1


@pytest.mark.databases
def test_a_refusal_on_either_database_leaves_the_old_generation(app: Flask, req: Path, now: datetime) -> None:
    """The last file holds the fault: everything else was loaded already, and is taken away again."""
    import_register(req, now)
    edit(req, "Etablissements.csv", _cut)

    refusal(req, now)

    assert rows_left() == [64, 79, 3, 62, 57]
    assert LocalRegister().look_up(FIRST) is not None


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_another_encoding_is_refused_with_the_first_line_that_shows_it(
    app: Flask, req: Path, now: datetime, encoding: str
) -> None:
    """Only UTF-8 is read: accents are never guessed."""
    text = (req / "Nom.csv").read_text(encoding="utf-8-sig")
    (req / "Nom.csv").write_bytes(text.encode(encoding, "replace"))
    wanted = next(n for n, row in enumerate(text.splitlines(), 1) if not row.isascii()) if encoding == "cp1252" else 1

    fault = refusal(req, now)[0]

    assert (fault.file, fault.line) == ("Nom.csv", wanted)
    assert "UTF-8" in fault.problem


def test_a_missing_or_doubled_file_is_named(app: Flask, req: Path, now: datetime) -> None:
    """All six are needed, each once."""
    (req / "FusionScissions.csv").unlink()
    (req / "Noms.csv").write_bytes((req / "Nom.csv").read_bytes())

    told = " ".join(str(fault) for fault in refusal(req, now))

    assert "Fusion….csv is missing" in told
    assert "Nom….csv is there more than once: Nom.csv, Noms.csv" in told


def test_a_damaged_zip_is_refused(app: Flask, req: Path, now: datetime, tmp_path: Path) -> None:
    """Cut anywhere, or with a byte changed inside: told, and the old data stay."""
    import_register(req, now)
    whole = _zip(req, tmp_path / "whole.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "whole.zip") as archive:
        inside = archive.getinfo("jeu/Nom.csv").header_offset + 300
    damaged = tmp_path / "damaged.zip"
    for content in (
        whole[: len(whole) // 2],
        whole[:-30],
        b"",
        whole[:inside] + bytes((whole[inside] ^ 0xFF,)) + whole[inside + 1 :],
    ):
        damaged.write_bytes(content)

        assert refusal(damaged, now)
        assert rows_left() == [64, 79, 3, 62, 57]


def test_twenty_faults_end_the_reading(app: Flask, req: Path, now: datetime) -> None:
    """Enough to see what is wrong, not a screen of thousands."""
    edit(req, "Entreprise.csv", lambda text: text.replace('"IM"', '"XX"'))

    assert len(refusal(req, now)) == FAULTS_SHOWN


def test_an_empty_place_is_refused(app: Flask, now: datetime, tmp_path: Path) -> None:
    """A wrong path says so."""
    assert "nothing to read" in refusal(tmp_path / "nowhere", now)[0].problem


@pytest.mark.databases
def test_an_older_import_stops_when_another_one_began(app: Flask, req: Path, now: datetime) -> None:
    """The last one wins; the older one leaves no row behind, wherever it stood."""
    older = generations.begin(generations.REGISTER, now)
    generations.load(RegisterLabel, older, [("STAT_IMMAT", "IM", "Immatriculée")])
    import_register(req, now)

    with pytest.raises(ImportRefusedError, match="another import"):
        generations.load(RegisterLabel, older, [("STAT_IMMAT", "RO", "Radiée")])
    with pytest.raises(ImportRefusedError, match="another import"):
        generations.put_in_force(generations.REGISTER, older, {}, now)
    generations.abandon(generations.REGISTER, older)

    assert rows_left() == [64, 79, 3, 62, 57]
    assert db.session.scalars(select(ImportHead.generation)).one() != older


def test_what_a_crash_left_is_removed_by_the_next_import(app: Flask, req: Path, now: datetime) -> None:
    """A generation that was never put in force is not read, and goes."""
    crashed = generations.begin(generations.REGISTER, now)
    generations.load(RegisterLabel, crashed, [("STAT_IMMAT", "IM", "?")])

    import_register(req, now)

    assert rows_left()[-1] == 57


def test_other_writers_get_their_turn_between_batches(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While rows are being read, no transaction is open: SQLite's single writer is free."""
    monkeypatch.setattr(generations, "BATCH", 3)
    turns = []

    def labels() -> Iterator[tuple[str, str, str]]:
        for number in range(10):
            with transaction() as session:  # another writer; would wait for ever, or join, if one were open
                turns.append(session.scalar(select(func.count()).select_from(RegisterLabel)))
            yield "T", str(number), "x"

    generation = generations.begin(generations.REGISTER, now)

    assert generations.load(RegisterLabel, generation, labels()) == 10
    assert turns == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]
    monkeypatch.setattr(generations, "BATCH", 2)
    generations.abandon(generations.REGISTER, generation)
    assert rows_left() == [0, 0, 0, 0, 0]


def test_a_neq_set_knows_what_it_was_given() -> None:
    """One bit a number: neighbours and other families stay apart."""
    known = NeqSet()

    assert known.add("1100000018")
    assert not known.add("1100000018")
    for other in ("2200000018", "1100000017", "1100000019", "1199999999"):
        assert other not in known
