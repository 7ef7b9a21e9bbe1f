"""The operator's desk and the agency officer's page."""
