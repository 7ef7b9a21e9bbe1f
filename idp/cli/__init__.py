"""The commands: ``idp serve | worker | db | keys | agencies | clients | notices | register | taxfile | operator | …``.

Each command lives in the module of its name and is imported only when it is called, so that ``idp --help`` stays quick.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from .. import __version__
from ..config import ConfigurationError
from ..private_files import keep_private

COMMANDS = {
    "agencies": "load the catalogue of agencies",
    "audit": "check the log",
    "clients": "load the clients of agencies",
    "db": "bring the schema up to date",
    "demo": "fill an empty installation with demonstration data",
    "demo-client": "load a client into the demonstration",
    "doctor": "say what is wrong with an installation",
    "keys": "create, list and rotate keys",
    "notices": "list what could not be delivered, and send it again",
    "operator": "add an operator or an agency officer",
    "register": "import the register of enterprises",
    "serve": "run the provider",
    "taxfile": "import the tax agency's file",
    "worker": "deliver notices, retry, sweep dates",
}


class _Commands(click.Group):
    """The commands of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command called *name*."""
        if name not in COMMANDS:
            return None
        module = name.replace("-", "_")
        command: click.Command = getattr(import_module(f"idp.cli.{module}"), module)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=_Commands)
@click.version_option(__version__, prog_name="idp")
def cli() -> None:
    """Mandat: identity and delegation for enterprises."""
    keep_private()


def main() -> None:
    """Run the command line; mistakes in the configuration are listed, all of them."""
    try:
        cli()
    except ConfigurationError as error:
        click.echo("The configuration holds mistakes:", err=True)
        for mistake in error.mistakes:
            click.echo(f"  - {mistake}", err=True)
        sys.exit(2)
