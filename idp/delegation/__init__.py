"""What a person may do, for which enterprise, until when."""
