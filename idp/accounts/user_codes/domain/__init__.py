"""The rules and values of user codes: pure, without web, database or clock."""
