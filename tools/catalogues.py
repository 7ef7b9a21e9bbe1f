"""The catalogues of sentences: one gettext domain per room of the code.

The source is English; French is written by hand.

python tools/catalogues.py update [DOMAIN…]    extract sentences, add the new ones to the French catalogue
python tools/catalogues.py compile             write the .mo files, which are built and never committed
python tools/catalogues.py check [DOMAIN…]     fail on a missing, unused, fuzzy or badly set sentence
"""

from __future__ import annotations

import re
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from compile_catalogues import compile_catalogues

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from idp.i18n import DOMAINS  # noqa: E402

FOLDER = ROOT / "idp" / "translations"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2), "_n": (1, 2)}
JINJA = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "silent": "false", "newstyle_gettext": "true"}
# French typography (interface.md §5): a match of a pattern breaks the rule named beside it
FAULTS = (
    (re.compile(r"(?<!\u00a0):(?=\s|$)"), "a no-break space before a colon"),
    (re.compile(r" [;!?]"), "no breaking space before ; ! ?"),
    (re.compile(r"«[^\u00a0]|[^\u00a0]»"), "no-break spaces inside « »"),
    (re.compile(r"\w'\w"), "the typographic apostrophe"),
    (re.compile(r"\d %(?!\()|\d \$"), "a no-break space before % and $"),
)


def sources(domain: str) -> list[Path]:
    """Return the files whose sentences belong to *domain*."""
    if domain == "shell":
        code = [*(ROOT / "idp").glob("*.py"), *(ROOT / "idp" / "http").glob("*.py")]
        return sorted([*code, *(ROOT / "templates").glob("*.html")])
    found = [*(ROOT / "idp" / domain).rglob("*.py"), *(ROOT / "templates" / domain).rglob("*")]
    return sorted(path for path in found if path.suffix in (".py", ".html", ".txt"))


def extract(domain: str) -> Catalog:
    """Read the sentences of *domain* from its sources."""
    catalog = Catalog(domain=domain, project="Mandat", charset="utf-8", fuzzy=False)
    for path in sources(domain):
        method, options = ("python", {}) if path.suffix == ".py" else ("jinja2", JINJA)
        for _line, message, _comments, context in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            catalog.add(message, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return catalog


def po_path(domain: str) -> Path:
    """Return the path of the French catalogue of *domain*."""
    return FOLDER / "fr" / "LC_MESSAGES" / f"{domain}.po"


def read(domain: str) -> Catalog:
    """Read a French catalogue, empty when there is none yet."""
    path = po_path(domain)
    if not path.exists():
        return Catalog(locale="fr", domain=domain, project="Mandat", charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale="fr", domain=domain)


def as_bytes(catalog: Catalog) -> bytes:
    """Return the text of a catalogue, without line numbers or dates, so that changes stay readable."""
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, sort_output=True, omit_header=False, include_lineno=False)
    lines = buffer.getvalue().decode().splitlines()
    dated = ('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By', '"Last-Translator', '"Language-Team', "# ")
    return ("\n".join(line for line in lines if not line.startswith(dated)) + "\n").encode()


def update(domain: str) -> None:
    """Bring the French catalogue of *domain* up to date with the sources."""
    old = read(domain)
    french = Catalog(locale="fr", domain=domain, project="Mandat", charset="utf-8", fuzzy=False)
    for message in extract(domain):
        if not message.id:
            continue
        known = old.get(message.id, message.context)
        empty = ("", "") if isinstance(message.id, tuple) else ""
        french.add(message.id, known.string if known else empty, locations=message.locations, context=message.context)
    path = po_path(domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(french))
    missing = sum(1 for message in french if message.id and not _strings(message))
    print(f"{domain}: {len(french)} sentences, {missing} to translate")  # noqa: T201


def _strings(message: Message) -> list[str]:
    strings = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    return [text for text in strings if text] if all(strings) else []


def faults(domain: str) -> list[str]:
    """Return what is wrong with the French catalogue of *domain*, one sentence each."""
    wanted = {(message.id, message.context) for message in extract(domain) if message.id}
    catalog = read(domain)
    present = {(message.id, message.context) for message in catalog if message.id}
    found = [f"fr/{domain}: missing {key[0]!r}" for key in wanted - present]
    found += [f"fr/{domain}: unused {key[0]!r}" for key in present - wanted]
    for message in catalog:
        if not message.id:
            continue
        if message.fuzzy or not _strings(message):
            found.append(f"fr/{domain}: untranslated {message.id!r}")
        for text in _strings(message):
            found += [f"fr/{domain}: {why}: {text!r}" for rule, why in FAULTS if rule.search(text)]
    return found


def collisions() -> list[str]:
    """Return the English sentences that two domains translate differently: at run time one would override the other."""
    said: dict[object, dict[str, str]] = {}
    for domain in DOMAINS:
        for message in read(domain):
            if message.id:
                said.setdefault(message.id, {})[domain] = repr(message.string)
    return [f"fr: {key!r} differs: {found}" for key, found in said.items() if len(set(found.values())) > 1]


def main(arguments: list[str]) -> int:
    """Run one command of the module's docstring."""
    command, domains = arguments[0], arguments[1:] or list(DOMAINS)
    if command == "update":
        for domain in domains:
            update(domain)
    elif command == "compile":
        compile_catalogues()
    elif command == "check":
        problems = [problem for domain in domains for problem in faults(domain)] + collisions()
        print("\n".join(problems) or "catalogues: complete")  # noqa: T201
        return 1 if problems else 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
