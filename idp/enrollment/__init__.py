"""How an enterprise gets in: its file, the facts that prove it, the three ways on, the slips."""
