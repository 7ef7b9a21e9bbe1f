"""The rules and values of audit: pure, without web, database or clock."""
