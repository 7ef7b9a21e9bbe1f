"""The rules and values of logout: pure, without web, database or clock."""
