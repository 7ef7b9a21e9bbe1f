"""What is done to the folder of keys: made, rotated, revoked, sealed again. One process at a time; stopped anywhere, it holds.

Each step is the replacement of one file, and after each of them every algorithm still has a key that signs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ...crypto.ciphers import random_key_line
from .domain.key_rotation import ALGORITHMS, Act, KeyState, Publish, Remove, due, signing
from .domain.signers import FileSigner, SignerError, generated_key, imported_key, kid_of
from .key_files import SigningKey
from .key_folder import KeyFolder

log = structlog.get_logger("mandat.keys")


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What became of a key; without a state it is gone."""

    kid: str
    alg: str
    state: KeyState | None


def create_missing(folder: KeyFolder, now: datetime) -> list[str]:
    """Make what a ring lacks, seal what is in clear, and return the names of the files written."""
    with folder.locked():
        names = [folder.kek_file.name] if folder.create_kek() else []
        keys = folder.read_keys(clear_too=True)
        names += [_write(folder, key) for key in keys if key.stale and key.state is not KeyState.REVOKED]
        _settle(folder)
        for alg in ALGORITHMS:
            if signing([key.life for key in keys if key.alg == alg]) is None:
                names.append(_write(folder, _made(folder, alg, KeyState.ACTIVE, now)))
    return names


def rotate(folder: KeyFolder, now: datetime, *, algs: Collection[str] = ALGORITHMS) -> list[KeyChange]:
    """Publish the successor of each key of *algs* that has none yet, and do what is due."""
    with folder.locked():
        done = _do_due(folder, now, None)
        waiting = {key.alg for key in folder.read_keys() if key.state is KeyState.NEXT}
        wanted = [alg for alg in ALGORITHMS if alg in algs and alg not in waiting]
        return done + [_do(folder, Publish(alg), now) for alg in wanted]


def rotate_due(folder: KeyFolder, now: datetime, *, active_for: timedelta | None) -> list[KeyChange]:
    """Do what the rule says is due; most often nothing, and then nothing is locked either."""
    if not folder.kek_file.exists():
        return []  # a ring of before, in clear: a person runs idp keys new
    keys = folder.read_keys()
    if not any(key.stale for key in keys) and not due([key.life for key in keys], now, active_for=active_for):
        return []
    with folder.locked():
        return _do_due(folder, now, active_for)


def replace_at_once(
    folder: KeyFolder, now: datetime, *, algs: Collection[str] = ALGORITHMS, seen: Collection[str]
) -> list[KeyChange]:
    """Make new keys for *algs* that sign at once, and revoke all others of these algorithms: they may be in wrong hands.

    The new file names what it revokes: both happen in the one rename. *seen* holds the kids that signed when this was asked
    for; an algorithm whose key changed meanwhile was replaced by another person, and is left alone.
    """
    done: list[KeyChange] = []
    with folder.locked():
        for alg in (alg for alg in ALGORITHMS if alg in algs):
            others = [key for key in folder.read_keys() if key.alg == alg and key.state is not KeyState.REVOKED]
            current = signing([key.life for key in others])
            if current is not None and current.kid not in seen:
                continue
            made = _made(folder, alg, KeyState.ACTIVE, now, revokes=frozenset(key.kid for key in others))
            _write(folder, made)
            done.append(KeyChange(made.kid, alg, made.state))
        return done + _settle(folder)


def rewrap(folder: KeyFolder, *, new_kek: bool = True) -> int:
    """Seal every key under a new key-encryption key, or under the first line of its file; return how many.

    The new key is put before the old one, which still opens, then each file is written again, then the old one goes: stopped
    in the middle, the same command goes on where it was.
    """
    with folder.locked():
        lines = folder.kek_file.read_text(encoding="ascii").split()
        folder.keks()
        if new_kek and len(lines) == 1:
            lines = [random_key_line().strip(), *lines]
            folder.replace(folder.kek_file, "\n".join(lines) + "\n")
        keys = folder.read_keys()
        for key in keys:
            _write(folder, key)
        if new_kek:
            folder.replace(folder.kek_file, lines[0] + "\n")
        return len(keys)


def _do_due(folder: KeyFolder, now: datetime, active_for: timedelta | None) -> list[KeyChange]:
    """Do each act; a token that does not answer is asked again at the next round, and holds no other act up."""
    done = []
    for act in due([key.life for key in folder.read_keys()], now, active_for=active_for):
        try:
            done.append(_do(folder, act, now))
        except SignerError as error:
            log.error("a step of the rotation waits", error=str(error))
    return done + _settle(folder)


def _do(folder: KeyFolder, act: Act, now: datetime) -> KeyChange:
    if isinstance(act, Publish):
        made = _made(folder, act.alg, KeyState.NEXT, now)
        _write(folder, made)
        return KeyChange(made.kid, made.alg, made.state)
    key = next(each for each in folder.read_keys() if each.kid == act.kid)
    if isinstance(act, Remove):
        folder.remove(key)
        return KeyChange(key.kid, key.alg, None)
    _write(folder, key.entering(act.state, now))
    return KeyChange(key.kid, key.alg, act.state)


def _settle(folder: KeyFolder) -> list[KeyChange]:
    """Lead a revocation to its end: the private half of each key that another one revoked is forgotten."""
    changes = []
    for key in (key for key in folder.read_keys() if key.stale):
        try:
            folder.destroy_in_device(key)
        except SignerError as error:
            log.error("a revoked key is still in its token", kid=key.kid, error=str(error))
            continue
        _write(folder, key.entering(KeyState.REVOKED, key.since))
        changes.append(KeyChange(key.kid, key.alg, KeyState.REVOKED))
    return changes


def _made(
    folder: KeyFolder, alg: str, state: KeyState, now: datetime, *, revokes: frozenset[str] = frozenset()
) -> SigningKey:
    """Make a key for *alg*, in the device when the settings say so."""
    if folder.device is not None and alg in folder.device_algs:
        reference, public = folder.device.generate(alg)
        key = imported_key(dict(public))
        return SigningKey(kid_of(alg, key), alg, state, now, now, key, reference=reference, revokes=revokes)
    key = generated_key(alg)
    kid = kid_of(alg, key)
    return SigningKey(kid, alg, state, now, now, key, FileSigner(kid, alg, key), revokes=revokes)


def _write(folder: KeyFolder, key: SigningKey) -> str:
    folder.write(key)
    return folder.path(key.kid).name
