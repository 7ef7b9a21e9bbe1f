"""Messages the provider sends outside its pages: an outbox of e-mails, letters and signals to agencies."""
