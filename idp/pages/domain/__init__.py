"""The rules and values of pages: pure, without web, database or clock."""
