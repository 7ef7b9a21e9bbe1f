"""The rules and values of token: pure, without web, database or clock."""
