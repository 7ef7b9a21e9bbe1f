"""What a person proves themselves with: password, application, passkey, recovery codes."""
