"""Home, help and the informational pages."""
