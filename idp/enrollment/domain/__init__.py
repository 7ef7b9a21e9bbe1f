"""The rules and values of enrollment: pure, without web, database or clock."""
