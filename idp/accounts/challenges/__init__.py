"""What waits for an answer: one-time codes by e-mail, passkey ceremonies, enrolment links."""
