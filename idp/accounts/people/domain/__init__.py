"""The rules and values of people: pure, without web, database or clock."""
