"""How an enterprise gets in."""
