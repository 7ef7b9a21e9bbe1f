"""How an enterprise enrols: its file, its facts, its verification (online, by mail, by review), the slips."""
