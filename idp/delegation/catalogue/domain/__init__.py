"""The rules and values of catalogue: pure, without web, database or clock."""
