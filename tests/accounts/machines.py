"""How a state machine runs: the same histories at every push, longer and other ones with ``--deep``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


def run_histories(machine: type[RuleBasedStateMachine], *, deep: bool, histories: int = 30) -> None:
    """Run *machine* over so many *histories*; those of a push never vary, and neither does what they reach."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=400 if deep else histories,
            stateful_step_count=60 if deep else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=not deep,
            database=None,
        ),
    )


def never_reached(reached: Counter[str], targets: Iterable[str], *, often: int = 2) -> list[str]:
    """Return which *targets* the histories reached less than *often*: there the machine proves nothing."""
    return [f"{target}: {reached[target]}" for target in targets if reached[target] < often]
