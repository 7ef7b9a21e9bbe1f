"""The rules and values of rights: pure, without web, database or clock."""
