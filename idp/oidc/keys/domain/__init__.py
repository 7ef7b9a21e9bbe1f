"""The rules and values of keys: pure, without web, database or clock."""
