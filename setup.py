"""The build step that setup.cfg cannot declare: the wheel holds the compiled catalogues."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))
from compile_catalogues import compile_catalogues


class BuildWithCatalogues(build_py):
    """Compile the French catalogues, then build as usual."""

    def run(self) -> None:
        """Compile first: the compiled files are package data."""
        compile_catalogues()
        super().run()


setup(cmdclass={"build_py": BuildWithCatalogues})
