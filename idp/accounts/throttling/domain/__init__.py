"""The rules and values of throttling: pure, without web, database or clock."""
