"""Subscriptions of enterprises to agencies: rules, states, changes."""
