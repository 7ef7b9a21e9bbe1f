"""Fast templates for the sign-in: an environment without needless copies, and page parts that are rendered once.

The components of GOV.UK Frontend depend only on their parameters. Those without personal data (a button, an empty
field) are the same on every page, and are cached.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from types import NoneType
from typing import Any

from flask import Flask
from flask.templating import Environment as FlaskEnvironment
from markupsafe import Markup

_KEPT = 512  # components in each process
_PLAIN = frozenset(
    {str, Markup, bool, int, NoneType}
)  # by their exact type: text and markup may compare equal and differ

Component = Callable[[dict[str, Any]], str]


class Environment(FlaskEnvironment):
    """Flask's environment, whose templates share one mapping of globals.

    Jinja gives each template a chain of two mappings, and walks both at every import of a macro to find additions: here
    there are none.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template."""
        return super().make_globals(d) if d else self.globals


def init_templating(app: Flask) -> None:
    """Give *app* its environment; call it before any code uses one."""
    app.jinja_environment = Environment
    app.jinja_env.globals["made_once"] = made_once


def made_once(component: Component, parameters: dict[str, Any]) -> str:
    """Return the output of *component* for *parameters*, cached when they contain no personal data.

    Typed text, its errors, and addresses with a query are never cached.
    """
    if parameters.get("value") or "errorMessage" in parameters or "?" in (parameters.get("href") or ""):
        return component(parameters)
    try:
        key = _frozen(parameters)
    except TypeError:  # a value that is not plain: its text may change
        return component(parameters)
    return _made(_Parameters(parameters, key), component)


class _Parameters:
    """Parameters that are equal when every value is equal and of the same type."""

    __slots__ = ("key", "values")

    def __init__(self, values: dict[str, Any], key: object) -> None:
        self.values, self.key = values, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Parameters) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(_KEPT)
def _made(parameters: _Parameters, component: Component) -> str:
    return component(parameters.values)


def _frozen(value: object) -> object:
    if type(value) in _PLAIN:
        return type(value), value
    if isinstance(value, Mapping):
        return tuple((name, _frozen(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    raise TypeError(type(value).__name__)
