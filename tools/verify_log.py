#!/usr/bin/env python3
"""Verify the log of a Mandat provider without it: an export, the checkpoints of its outside places, and the public keys.

    python3 verify_log.py log.jsonl --key 'host/audit+0a1b2c3d+AQ…' /mnt/place/checkpoint /mnt/place/2026-12.notes

It needs only Python 3.11 and the package ``cryptography``. The export is made by ``idp audit export``, the keys are
shown by ``idp keys checkpoints``: note them when they are made, and not when the log is doubted. Exit status: 0 when
every check passes, 1 when one fails, 2 when nothing could be checked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DASH = "\N{EM DASH} "
CHAIN = "mandat-chain-v1"
GENESIS = "0" * 64
NOT_HASHED = ("position", "hash")

Keys = dict[tuple[str, bytes], Ed25519PublicKey]


def main() -> int:
    """Read the arguments and print the findings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path, help="the log, one JSON line an entry")
    parser.add_argument("checkpoints", type=Path, nargs="+", help="files of signed notes")
    parser.add_argument("--key", action="append", required=True, help="a verifier key: name+id+base64; may be repeated")
    given = parser.parse_args()
    try:
        keys = dict(verifier_key(each) for each in given.key)
        notes = [(path, note) for path in given.checkpoints for note in notes_of(path.read_text(encoding="utf-8"))]
        hashes, faults = recomputed(given.export)
        found = [(path, *checked(note, keys, hashes)) for path, note in notes]
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    if not found:
        sys.stderr.write("no checkpoint was given\n")
        return 2
    faults += [f"{path}: {fault}" for path, _size, fault in found if fault]
    after = max(0, len(hashes) - 1 - max(size for _path, size, _fault in found))
    sys.stdout.write(f"{len(hashes) - 1} entries, {len(found)} checkpoints, {after} entries after the last\n")
    for fault in faults:
        sys.stdout.write(f"FAULT: {fault}\n")
    return 1 if faults else 0


def verifier_key(text: str) -> tuple[tuple[str, bytes], Ed25519PublicKey]:
    """Return a key as signatures name it (C2SP signed-note: name, identifier, type and key)."""
    name, shown, encoded = text.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    identifier = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[:1] != b"\x01" or identifier.hex() != shown:
        raise ValueError(f"{text} is no Ed25519 verifier key")
    return (name, identifier), Ed25519PublicKey.from_public_bytes(raw[1:])


def recomputed(export: Path) -> tuple[list[str], list[str]]:
    """Return the hash of each position, computed from the entries, and the faults found."""
    hashes: list[str] = [GENESIS]
    faults: list[str] = []
    with export.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            entry: dict[str, Any] = json.loads(line)
            told = {name: value for name, value in entry.items() if name not in NOT_HASHED}
            canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            linked = b"\x00" + f"{hashes[-1]}:{number}:{canonical}".encode()
            hashes.append(hashlib.sha256(linked).hexdigest())
            if entry["position"] != number:
                return hashes, [*faults, f"position {number} is missing"]
            if entry["hash"] != hashes[-1] and not faults:
                faults.append(f"entry {entry['id']} at position {number} was altered")
    return hashes, faults


def notes_of(text: str) -> Iterator[str]:
    """Yield the notes of a file, one after the other."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if lines and lines[-1].startswith(DASH) and not line.startswith(DASH):
            yield "".join(lines)
            lines = []
        lines.append(line)
    if lines:
        yield "".join(lines)


def checked(note: str, keys: Keys, hashes: list[str]) -> tuple[int, str | None]:
    """Return how many entries a note is about, and what is wrong with it."""
    body, _, tail = note.partition("\n\n")
    body += "\n"
    if not signed_by_one_of(body, tail, keys):
        return 0, "a checkpoint bears no valid signature of the keys given"
    origin, size_text, root, extension = [*body.split("\n"), "", "", ""][:4]
    size = int(size_text)
    if extension.split(" ")[0] != CHAIN:
        return size, f"a checkpoint of another kind: {extension}"
    if origin not in {name for name, _ in keys}:
        return size, f"a checkpoint of another log: {origin}"
    if size >= len(hashes):
        return size, f"the log ends at {len(hashes) - 1}, before the {size} entries that were published"
    if base64.b64decode(root).hex() != hashes[size]:
        return size, f"position {size} does not bear the hash that was published"
    return size, None


def signed_by_one_of(body: str, tail: str, keys: Keys) -> bool:
    """Return whether one of *keys* signed the note."""
    for line in tail.splitlines():
        name, _, shown = line.removeprefix(DASH).partition(" ")
        raw = base64.b64decode(shown)
        key = keys.get((name, raw[:4]))
        if key is None:
            continue
        try:
            key.verify(raw[4:], body.encode())
        except InvalidSignature:
            return False
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
