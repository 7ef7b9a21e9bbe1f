"""What is told outside: e-mail, letters and signals, through one outbox."""
