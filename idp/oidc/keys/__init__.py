"""What signs: the ring of keys, its files, its rotation, and tokens of hardware."""
