"""A file of clients: YAML, read whole, with every mistake listed (``idp clients load``). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ...domain.profiles import DEFAULT_METHOD, SECRET_METHODS
from ...errors import ClientFileError
from . import client_metadata
from .client_metadata import Grounds


@dataclass(frozen=True, slots=True)
class Registration:
    """One entry of a file: its members without the secret, and the secret (None: keep the one on record, if it needs one).

    ``unused`` names the members that a registry of metadata knows and that change nothing here.
    """

    members: dict[str, Any]
    secret: str | None = field(repr=False)
    unused: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        """Return the identifier of the client."""
        return str(self.members["client_id"])

    @property
    def needs_secret(self) -> bool:
        """Return whether the client proves itself by a secret."""
        return self.members.get("token_endpoint_auth_method", DEFAULT_METHOD) in SECRET_METHODS


def read(text: str, *, issuer: str, agencies: frozenset[str]) -> tuple[Registration, ...]:
    """Read a YAML file of clients: ``clients:`` and a list.

    Raises:
        ClientFileError: with every mistake of the file.
    """
    try:
        told = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ClientFileError((f"the file is not YAML: {' '.join(str(error).split())}",)) from None
    listed = told.get("clients") if isinstance(told, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(each, dict) for each in listed):
        raise ClientFileError(("the file must hold `clients:` and a list of clients",))
    grounds = Grounds(issuer, agencies)
    entries = [client_metadata.with_defaults(each) for each in listed]
    mistakes = [
        f"{entry.get('client_id') or f'client {place}'}: {mistake}"
        for place, entry in enumerate(entries, start=1)
        for mistake in _mistakes(entry, grounds)
    ]
    names = [str(entry.get("client_id")) for entry in entries]
    mistakes += [f"{name}: client_id is written twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if mistakes:
        raise ClientFileError(tuple(mistakes))
    return tuple(_registration(entry, told) for entry, told in zip(entries, listed, strict=True))


def _registration(entry: Mapping[str, Any], told: Mapping[str, Any]) -> Registration:
    unused = client_metadata.unused(told)
    members = client_metadata.as_named(entry, told)
    kept = {name: value for name, value in members.items() if name not in {"client_secret", *unused}}
    return Registration(kept, entry.get("client_secret"), unused)


def _mistakes(entry: Mapping[str, Any], grounds: Grounds) -> Iterator[str]:
    """A file is written by hand: a member that no registry knows is a slip of the pen."""
    unknown = set(map(str, entry)) - client_metadata.MEMBERS - client_metadata.REGISTERED_ELSEWHERE
    yield from (f"{name} is not a known member" for name in sorted(unknown) if not client_metadata.is_localized(name))
    yield from client_metadata.mistakes(entry, grounds)
