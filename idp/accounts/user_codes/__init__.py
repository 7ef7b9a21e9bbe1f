"""User codes: issued on slips, activated, linked to an account."""
