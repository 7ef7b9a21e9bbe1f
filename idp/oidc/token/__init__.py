"""Tokens: grants, issuing, refresh, revocation, introspection, and tokens that are presented."""
