"""The authorization endpoint: request, checks, interaction, consent, answer."""
