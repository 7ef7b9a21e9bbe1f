"""The rules and values of leaving: pure, without web, database or clock."""
