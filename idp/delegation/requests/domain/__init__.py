"""The life of a request for access: pure, without web, database or clock."""
