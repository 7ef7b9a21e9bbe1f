"""A contract of import-linter that goes by the names of modules: the tables belong to services.

The types of contract that import-linter has go by packages, and services live beside other modules of their room.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class TablesContract(Contract):
    """No module imports a module of tables, unless its name matches one of *importers* (``*services``)."""

    importers = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Return the direct imports of tables by modules of another name."""
        importers = sorted(cast("set[str]", self.importers))
        broken = [
            (importer, tables)
            for tables in sorted(graph.modules)
            if tables.startswith("idp.") and tables.endswith(".models")
            for importer in sorted(graph.find_modules_that_directly_import(tables))
            if not any(fnmatchcase(importer, pattern) for pattern in importers)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each import that is not allowed."""
        for importer, tables in check.metadata["broken"]:
            output.print_error(f"{importer} imports {tables}: only services read and write tables.")
