"""Draw the state diagrams of ``docs/flows.md`` from the transition tables of the code.

python tools/flows.py          write docs/flows.md
python tools/flows.py --check  fail when it differs
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module, util
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "flows.md"

# module, title, introduction for the reader
TABLES = (
    (
        "idp.enrollment.domain.states",
        "Enrolment file",
        "How an enterprise gets in. *Refused*, *expired* and *withdrawn* end a file; a refusal may be contested.",
    ),
    (
        "idp.accounts.user_codes.domain.states",
        "User code",
        "From the code without any secret to the person’s own password and second factor. A new slip kills the former.",
    ),
    (
        "idp.accounts.people.domain.access_states",
        "Access to an account",
        "Its person freezes it at one button; every factor and a code by e-mail open it again, or else being proved anew.",
    ),
    (
        "idp.accounts.recovery.domain.recovery_states",
        "Forgotten password",
        "The same pages for a user code that nobody has. Nothing changes before the last step, which ends every sign-in.",
    ),
    (
        "idp.accounts.recovery.domain.reproofing_states",
        "Lost second factor",
        "Proved anew with a slip that serves after a day, and a code by e-mail; meanwhile the person may object. "
        "An operator’s proposal waits for a second operator.",
    ),
    (
        "idp.delegation.subscriptions.domain.states",
        "Subscription of an enterprise to an agency",
        "An automatic rule decides within the transaction of the request; a person at the agency decides otherwise.",
    ),
    (
        "idp.delegation.requests.domain.states",
        "Request for access",
        "A user asks for blocks with a reason; another person, who is in charge, grants all or a part, or refuses.",
    ),
    (
        "examples.amp_portal.applications",
        "Application at the demonstration’s portal",
        "Several people write a draft together (018); one submits it (019), which raises a fee that is paid once (008).",
    ),
)

# title, text for the reader: facts that no table of the code states
ENDINGS = (
    "A sign-in for an agency, and the way back",
    """Each sign-in has the number of its interaction in its address, `/~<number>/sign-in/code`, and a cookie of that number
(docs/adr/0019). Whatever is sent to its pages, the way to the agency stays:

| The interaction is | in its own browser | elsewhere, or with the cookie lost |
|---|---|---|
| open | the page; *Cancel* answers the client | a page with a link to the client’s site, without `state` |
| answered less than a minute ago, and the form comes again | the same answer | the same page |
| answered | a page whose button answers `access_denied`, `state`, `iss` | the same page |
| older than 30 minutes | the same button | the same page |
| older than a day | a page that says to begin again | the same |

A form that is too old (another tab signed in, the cookie was lost) changes nothing: its page is shown again, or leads on
with the sign-in there is. Error pages have the button *Return to the agency* by their address alone.""",
)


def diagram(transitions: Mapping[tuple[StrEnum, StrEnum], StrEnum], initial: StrEnum) -> str:
    """Return a Mermaid state diagram, with one arrow for each pair of states, labelled with its events."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in transitions.items():
        arrows.setdefault((state.value, following.value), []).append(event.value)
    lines = ["stateDiagram-v2", f"    [*] --> {initial.value}"]
    lines += [f"    {start} --> {end}: {' / '.join(events)}" for (start, end), events in arrows.items()]
    sources = {start for start, _ in arrows}
    lines += [f"    {end} --> [*]" for end in dict.fromkeys(end for _, end in arrows) if end not in sources]
    return "\n".join(["```mermaid", *lines, "```"])


def page() -> str:
    """Return the whole page."""
    parts = [
        "# Flows",
        "Drawn by `tools/flows.py` from the transition tables of the code; a test fails when this page differs. "
        "Values are those stored.",
    ]
    for name, title, sentence in TABLES:
        if util.find_spec(name) is None:
            continue
        module: Any = import_module(name)
        transitions = module.TRANSITIONS
        initial = getattr(module, "INITIAL", next(iter(transitions))[0])
        parts += [f"## {title}", f"`{name}`. {sentence}", diagram(transitions, initial)]
    title, text = ENDINGS
    return "\n\n".join([*parts, f"## {title}", text]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        print("docs/flows.md: up to date" if same else "docs/flows.md is stale: run python tools/flows.py")  # noqa: T201
        return 0 if same else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
