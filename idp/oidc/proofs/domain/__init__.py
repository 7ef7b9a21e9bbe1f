"""The rules and values of proofs: pure, without web, database or clock."""
