"""``python -m idp``: the same as the ``idp`` command."""

from .cli import main

main()
