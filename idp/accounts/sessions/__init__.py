"""Sign-ins that are open, their cookies, known browsers and devices."""
