"""The rules and values of claims: pure, without web, database or clock."""
