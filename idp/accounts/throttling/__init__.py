"""What slows guessing and floods: attempt counters, lockout, concurrency limit, allowances, alarm."""
