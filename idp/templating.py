"""Templates at the speed a sign-in needs: an environment without needless copies, and parts of pages that are made once.

The components of GOV.UK Frontend are functions of their parameters alone. Those that hold nothing of a person (a button, an
empty field) are the same on every page, and are kept.
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
)  # by their exact type: text and markup that look alike are not the same

Component = Callable[[dict[str, Any]], str]


class Environment(FlaskEnvironment):
    """Flask's environment, whose templates share one mapping of globals.

    Jinja gives each template a chain of two, and walks both at every import of a macro to find what was added: here nothing is.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template."""
        return super().make_globals(d) if d else self.globals


def init_templating(app: Flask) -> None:
    """Give *app* its environment; before anything asks for one."""
    app.jinja_environment = Environment
    app.jinja_env.globals["made_once"] = made_once


def made_once(component: Component, parameters: dict[str, Any]) -> str:
    """Return what *component* makes of *parameters*, kept when nothing in them can be somebody's.

    What was typed, what is wrong with it, and addresses with a query are never kept.
    """
    if parameters.get("value") or "errorMessage" in parameters or "?" in (parameters.get("href") or ""):
        return component(parameters)
    try:
        key = _frozen(parameters)
    except TypeError:  # a value that is not plain: what it says may change
        return component(parameters)
    return _made(_Parameters(parameters, key), component)


class _Parameters:
    """Parameters that are equal when every value is, and of the same type."""

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
