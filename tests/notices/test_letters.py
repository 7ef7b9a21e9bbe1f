"""Letters and slips: tagged PDF in the right language, on one page, with the words and nothing more."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from idp.config import Settings
from idp.notices.letters import render_pdf
from idp.notices.spelling import groups, spell

MAILED_CODE: dict[str, Any] = {
    "address": ["Madame Julie Plumedor", "1234, rue des Érables", "Québec (Québec) G1R 5E6"],
    "file_number": "D-7K3M-9Q2X",
    "code": "4831907562",
    "sent_on": "2026-11-23",
    "expires_on": date(2026, 12, 23),
    "reference": "R-48J2",
}
USER_CODE: dict[str, Any] = {
    "enterprise": "Construction Haute-Licorne inc.",
    "neq": "1100000455",
    "person": "Julie Plumedor",
    "user_code": "QX4T-7712",
    "pairing": "4821",
}
SECRET: dict[str, Any] = {
    "secret": "KF7X-QM3T-WZ9R-HB4N-JC8E",
    "days": 7,
    "expires_on": "2026-11-30",
    "pairing": "4821",
}
CHANGED: dict[str, Any] = {
    "address": [
        "Julie Plumedor",
        "Construction Haute-Licorne inc.",
        "1234, rue des Érables",
        "Québec (Québec) G1R 5E6",
    ],
    "changes": [["Le mot de passe a été changé", "23 novembre 2026 à 10 h 00"]],
    "codes": ["QX••-••12"],
    "sent_on": "2026-11-23",
}
LETTERS = {"security_notice": CHANGED, "mailed_code": MAILED_CODE, "slip_user_code": USER_CODE, "slip_secret": SECRET}
TITLES = {
    ("security_notice", "fr"): "Un changement à votre façon de vous connecter",
    ("security_notice", "en"): "A change to how you sign in",
    ("mailed_code", "fr"): "Votre code de validation",
    ("mailed_code", "en"): "Your verification code",
    ("slip_user_code", "fr"): "Votre code d’utilisateur",
    ("slip_user_code", "en"): "Your user code",
    ("slip_secret", "fr"): "Votre mot de passe temporaire",
    ("slip_secret", "en"): "Your temporary password",
}


def read(tool: str, pdf: bytes, tmp_path: Path, *options: str) -> str:
    path = tmp_path / "letter.pdf"
    path.write_bytes(pdf)
    output = ["-"] if tool == "pdftotext" else []
    done = subprocess.run(
        [tool, *options, str(path), *output], capture_output=True, check=True, encoding="utf-8", errors="replace"
    )
    return done.stdout


@pytest.mark.parametrize(("template", "language"), TITLES)
def test_a_letter_is_accessible(app: Flask, tmp_path: Path, template: str, language: str) -> None:
    """PDF/UA-1: tagged, titled, in its language, with a heading; on one page of the size of Québec's paper."""
    pdf = render_pdf(template, LETTERS[template], language=language)

    facts = read("pdfinfo", pdf, tmp_path)
    assert re.search(r"Tagged: +yes", facts)
    assert re.search(rf"Title: +{TITLES[template, language]}\n", facts)
    assert re.search(r"Pages: +1\n", facts)
    assert "612 x 792" in facts
    assert f"/Lang({language}-CA)".encode() in pdf.replace(b"/Lang (", b"/Lang(")
    assert b"pdfuaid" in pdf
    structure = read("pdfinfo", pdf, tmp_path, "-struct")
    assert "H1" in structure
    if template.startswith("slip"):
        assert "TH" in structure


@pytest.mark.bar("S-61")
@pytest.mark.parametrize(("template", "page"), [("mailed_code", "/enrol/resume"), ("slip_user_code", "/activate")])
def test_no_host_that_a_request_claims_is_printed(
    app: Flask, settings: Settings, tmp_path: Path, template: str, page: str
) -> None:
    """A letter or slip made inside a request that claims another host sends its reader to ours."""
    with app.test_request_context("/", headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}):
        text = read("pdftotext", render_pdf(template, LETTERS[template], language="fr"), tmp_path)

    assert f"{settings.issuer.removeprefix('https://')}{page}" in text
    assert "evil" not in text


def test_the_mailed_code_says_everything(app: Flask, tmp_path: Path) -> None:
    """Address in the order of the tax agency, file number, code in groups, last day, what to do if nobody asked."""
    text = read("pdftotext", render_pdf("mailed_code", MAILED_CODE, language="fr"), tmp_path, "-layout")

    for expected in ("Madame Julie Plumedor", "G1R\u00a05E6", "D-7K3M-9Q2X", "23\u00a0décembre\u00a02026", "R-48J2"):
        assert expected.replace("\u00a0", " ") in text.replace("\u00a0", " ")
    assert re.search(r"48319\s+07562", text)
    assert "Vous n’avez pas demandé cette lettre" in text


def test_the_two_slips_keep_apart(app: Flask, tmp_path: Path) -> None:
    """The slip of the password names no enterprise, no person, no user code; that of the code holds no password."""
    given = {**SECRET, **USER_CODE}
    code = read("pdftotext", render_pdf("slip_user_code", given, language="fr"), tmp_path)
    secret = read("pdftotext", render_pdf("slip_secret", given, language="fr"), tmp_path)

    assert "QX4T-7712" in code
    assert "KF7X" not in code
    assert "KF7X QM3T WZ9R HB4N JC8E" in secret.replace("\u00a0", " ")
    assert "Kilo, Foxtrot, sept, X-ray" in secret
    for name in ("QX4T", "Plumedor", "Licorne", "1100"):
        assert name not in secret
    assert "4821" in code
    assert "4821" in secret


@pytest.mark.parametrize(
    "name", ['#sys.inputs "x"', "*gras* _italique_ $x^2$", "<script>alert(1)</script>", "] #panic(1) [", "\\u{1F600}"]
)
def test_nothing_typed_is_markup(app: Flask, tmp_path: Path, name: str) -> None:
    """Names are printed as they are: no Typst, no HTML is read from data."""
    pdf = render_pdf("slip_user_code", {**USER_CODE, "enterprise": name}, language="fr")

    assert name in read("pdftotext", pdf, tmp_path, "-layout")


def test_long_names_keep_to_one_page(app: Flask, tmp_path: Path) -> None:
    """The longest names and addresses still make one page."""
    long = {**MAILED_CODE, "address": ["Très long nom " * 10] * 6}
    names = {**USER_CODE, "enterprise": "Entreprise " * 40, "person": "É" * 300}

    for template, data in (("mailed_code", long), ("slip_user_code", names)):
        assert re.search(r"Pages: +1\n", read("pdfinfo", render_pdf(template, data, language="fr"), tmp_path))


def test_a_letter_that_lacks_something_is_refused(app: Flask) -> None:
    """A missing value or an unknown letter is a mistake of the caller, told by name."""
    with pytest.raises(ValueError, match="code"):
        render_pdf("mailed_code", {"address": [], "expires_on": "2026-12-23"}, language="fr")
    with pytest.raises(ValueError, match="no letter"):
        render_pdf("../mailed_code", MAILED_CODE, language="fr")


def test_secrets_are_grouped_and_spelled(app: Flask) -> None:
    """Groups ignore spaces and hyphens; capital and small letters are told apart; digits are words."""
    assert groups("AB-12 cd", 4) == ["AB12", "cd"]
    assert spell("aB3", 4) == [["aB3", "Alfa minuscule, Bravo, trois"]]


NAMES = {  # as typed → as the letter shows it
    "Élise Œuvray-Ÿ": "Élise Œuvray-Ÿ",
    "ᐃᓄᒃ ᓄᓇᕗᑦ": "ᐃᓄᒃ ᓄᓇᕗᑦ",
    "ᑲᓇᑕ ᣀᣁ": "ᑲᓇᑕ ᣀᣁ",  # extended syllabics
    "Жанна Ёлкина": "Жанна Ёлкина",
    "Ελένη Ωραία": "Ελένη Ωραία",
    "محمد": None,  # shown, in an order that text extraction does not keep
    "שלום": None,
    "漢字 山田": "□□ □□",
    "한국 사람": "□□ □□",
    "สมชาย": None,
    "Zoé 😀": "Zoé □",
    "n\u0308 q\u0323\u0302": None,
    "e\U0001d167": None,  # a mark that no font has
    "a\u0000b\u200bc\ufffe": None,
    "\u0378\ue000\U000f0000": None,  # no character yet, private ones
    "漢한ไ😀ཀ𐍈አქᏣꓐ𞤀ꯀᱚ𑄌ߊ": None,  # more scripts than the limit
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("template", ["slip_user_code", "mailed_code", "security_notice"])
def test_a_name_never_stops_a_letter(app: Flask, tmp_path: Path, template: str, name: str) -> None:
    """Every script gives a letter on one page; what no font has is a box, and the rest of the name stays."""
    data = LETTERS[template] | ({"person": name} if template == "slip_user_code" else {"address": [name, "Québec"]})
    with app.test_request_context():
        pdf = render_pdf(template, data, language="fr")

    shown = unicodedata.normalize("NFC", read("pdftotext", pdf, tmp_path))
    wanted = NAMES[name]
    assert wanted is None or unicodedata.normalize("NFC", wanted) in shown.replace("\u00a0", " ")
    assert "Mandat" in shown
    assert re.search(r"Pages: +1\n", read("pdfinfo", pdf, tmp_path))


def test_the_log_says_the_script_and_never_the_name(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    """A letter without some glyphs leaves one warning a script."""
    with app.test_request_context():
        render_pdf("slip_user_code", USER_CODE | {"person": "漢字 山田 한"}, language="fr")

    told = capsys.readouterr().out
    assert told.count("letter without some glyphs") == 2
    assert "CJK" in told
    assert "HANGUL" in told
    assert "漢" not in told
