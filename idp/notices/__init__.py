"""What the provider says outside its pages: an outbox of e-mails, letters and signals to agencies."""
