"""The rules and values of sessions: pure, without web, database or clock."""
