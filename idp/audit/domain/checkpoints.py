"""Checkpoints of the log: its signed end at an instant, kept where the database cannot change it; pure.

A checkpoint is a signed note of the C2SP formats tlog-checkpoint and signed-note: the origin (the issuer without its
scheme, and ``/audit``), the number of entries, a hash in base64, a line of extension, an empty line, and one line per
signature (Ed25519, key type 1). The extension begins with the kind of the hash: ``mandat-chain-v1`` is the head of the
chain (``audit.chain``). A Merkle root would be another kind, with its own verifier; the rest of the note would not
change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CHAIN = "mandat-chain-v1"
LARGEST = 4096  # bytes of a note
_ED25519 = b"\x01"  # the key type of signed-note
_DASH = "\N{EM DASH} "
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")


class NoteError(ValueError):
    """A note that is not a checkpoint of this log, or that no known key signed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of the log at an instant: ``size`` entries, the last of which has ``hash`` (hexadecimal)."""

    origin: str
    size: int
    hash: str
    at: datetime
    kind: str = CHAIN

    def body(self) -> str:
        """Return the signed text."""
        root = base64.b64encode(bytes.fromhex(self.hash)).decode()
        at = self.at.astimezone(UTC).isoformat(timespec="seconds")
        return f"{self.origin}\n{self.size}\n{root}\n{self.kind} {at}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key that signs checkpoints, with the name used in its signatures."""

    name: str
    public: bytes

    @property
    def id(self) -> str:
        """Return the identifier in its signatures: four bytes in hexadecimal."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).hexdigest()[:8]

    @property
    def text(self) -> str:
        """Return the key in the format of signed-note verifiers: name, identifier and key, joined by ``+``."""
        return f"{self.name}+{self.id}+{base64.b64encode(_ED25519 + self.public).decode()}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A parsed note: its checkpoint, and which of the known keys signed it."""

    checkpoint: Checkpoint
    signed_by: frozenset[str]


def origin_of(issuer: str) -> str:
    """Return the name of the log of *issuer*."""
    return f"{issuer.partition('://')[2]}/audit"


def signed(checkpoint: Checkpoint, keys: Collection[tuple[VerifierKey, Ed25519PrivateKey]]) -> str:
    """Return *checkpoint* as a note with one signature by each of *keys*."""
    body = checkpoint.body()
    lines = []
    for key, private in keys:
        signature = bytes.fromhex(key.id) + private.sign(body.encode())
        lines.append(f"{_DASH}{key.name} {base64.b64encode(signature).decode()}\n")
    return f"{body}\n{''.join(lines)}"


def opened(note: str, keys: Collection[VerifierKey]) -> Opened:
    """Read a note and check its signatures; those of other keys are ignored, as the format requires.

    Raises:
        NoteError: it cannot be read, or a signature by one of *keys* is not valid.
    """
    body, empty, tail = note.partition("\n\n")
    if not empty or len(note.encode("utf-8", "replace")) > LARGEST:
        raise NoteError("is no signed note")
    body += "\n"
    known = {(key.name, key.id): key for key in keys}
    signers = set()
    for line in tail.splitlines():
        name, _, shown = line.removeprefix(_DASH).partition(" ")
        raw = _decoded(shown)
        if not line.startswith(_DASH) or len(raw) < 5:
            raise NoteError("is no signed note")
        key = known.get((name, raw[:4].hex()))
        if key is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], body.encode())
        except InvalidSignature:
            raise NoteError(f"bears a forged signature of the key {key.id}") from None
        signers.add(key.id)
    return Opened(_checkpoint(body), frozenset(signers))


def notes_of(text: str) -> list[str]:
    """Return the notes of a file that contains several."""
    found: list[list[str]] = []
    ended = True
    for line in text.splitlines(keepends=True):
        if ended and not line.startswith(_DASH):
            found.append([])
        ended = line.startswith(_DASH)
        if found:
            found[-1].append(line)
    return ["".join(lines) for lines in found]


def _checkpoint(body: str) -> Checkpoint:
    lines = body.split("\n")
    try:
        origin, size, root, (kind, _, at) = lines[0], lines[1], _decoded(lines[2]), lines[3].partition(" ")
        instant = datetime.fromisoformat(at)
    except (IndexError, ValueError) as error:
        raise NoteError("is no checkpoint") from error
    if not origin or not _SIZE.fullmatch(size) or len(root) != 32 or instant.tzinfo is None:
        raise NoteError("is no checkpoint")
    return Checkpoint(origin, int(size), root.hex(), instant, kind)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("is no signed note") from error
