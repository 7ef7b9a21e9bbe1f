"""Ciphers, and values sealed at rest."""
