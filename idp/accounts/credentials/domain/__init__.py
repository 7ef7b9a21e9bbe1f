"""The rules and values of credentials: pure, without web, database or clock."""
