"""Who the clients of agencies are: registered, proven, their keys and certificates."""
