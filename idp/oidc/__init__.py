"""How an agency learns who acts for which enterprise, with which rights."""
