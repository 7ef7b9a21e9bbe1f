"""What agencies hear of: streams of security events (SSF, CAEP), pushed or polled."""
