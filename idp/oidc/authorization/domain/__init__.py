"""The rules and values of authorization: pure, without web, database or clock."""
