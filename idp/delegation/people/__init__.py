"""People of an enterprise: roles, newcomers, departures, help, messages."""
