from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.support import Translations

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import catalogues  # noqa: E402
import compile_catalogues  # noqa: E402

from idp.i18n import DOMAINS  # noqa: E402


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_french_catalogue_is_complete(domain: str) -> None:
    """No sentence is missing, unused, fuzzy or badly set."""
    assert catalogues.faults(domain) == []


@pytest.mark.parametrize(
    "wrong", ["Est-ce vrai ?", "Nom: Julie", "« Non »", "l'entreprise", "100 %", "Attention ! Lisez."]
)
def test_the_check_sees_wrong_typography(wrong: str) -> None:
    """Each fault of French typography is found by one of the patterns."""
    assert [why for pattern, why in catalogues.FAULTS if pattern.search(wrong)]


def test_the_check_sees_a_missing_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new English sentence without its French fails the check."""
    template = Catalog(domain="accounts")
    template.add("A sentence nobody translated")
    monkeypatch.setattr(catalogues, "extract", lambda _domain: template)

    assert any("missing 'A sentence nobody translated'" in fault for fault in catalogues.faults("accounts"))


def test_the_command_runs() -> None:
    """``python tools/catalogues.py check`` is what bin/test calls."""
    run = subprocess.run([sys.executable, str(ROOT / "tools" / "catalogues.py"), "check", "audit"], check=False)

    assert run.returncode == 0


def test_no_sentence_is_said_in_two_ways() -> None:
    """One English sentence has one French sentence, whichever room says it."""
    assert catalogues.collisions() == []


def test_the_compiled_catalogue_says_the_french_of_its_source(tmp_path: Path) -> None:
    """A sentence added to a source is in the file compiled from it; an unchanged source is not compiled again."""
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"'
    (folder / "shell.po").write_text(f'{header}\n\nmsgid "Yes"\nmsgstr "Oui"\n')

    written = compile_catalogues.compile_catalogues(tmp_path)

    assert written == [folder / "shell.mo"]
    assert Translations.load(str(tmp_path), ["fr"], "shell").gettext("Yes") == "Oui"
    assert compile_catalogues.compile_catalogues(tmp_path) == []
