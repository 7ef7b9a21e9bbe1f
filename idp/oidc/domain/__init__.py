"""The rules and values of oidc: pure, without web, database or clock."""
