"""The person of an account: name, contact, access states, closing of access."""
