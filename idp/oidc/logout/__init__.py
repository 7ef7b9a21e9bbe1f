"""Logout: at the request of an agency, and told to agencies."""
