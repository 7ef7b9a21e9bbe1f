"""The rules and values of events: pure, without web, database or clock."""
