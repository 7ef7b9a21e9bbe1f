"""Clients of agencies: registration, authentication, keys, certificates."""
