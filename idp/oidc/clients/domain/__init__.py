"""The rules and values of clients: pure, without web, database or clock."""
