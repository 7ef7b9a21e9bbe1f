"""The rules and values of recovery: pure, without web, database or clock."""
