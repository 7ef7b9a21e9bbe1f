"""A hook of the documentation site: a link to a file outside ``docs/`` is shown as the name of that file."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#\s]+)(?:#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_others: Any) -> str:
    """Return the text of *page* with such links as their words and the name of the file in the repository."""
    if "/" in page.file.src_uri:
        return markdown  # a page of a folder under docs/ links to pages beside docs/README.md
    return _OUTSIDE.sub(r"\1 (`\2`)", markdown)
