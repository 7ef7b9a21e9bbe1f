"""The rules and values of sign in: pure, without web, database or clock."""
