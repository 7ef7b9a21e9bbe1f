"""The rules and values of subscriptions: pure, without web, database or clock."""
