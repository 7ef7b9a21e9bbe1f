"""The rules and values of notices: pure, without web, database or clock."""
