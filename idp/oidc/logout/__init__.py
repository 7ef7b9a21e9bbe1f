"""Logout: at the request of an agency, and notified to agencies."""
