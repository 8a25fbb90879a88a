"""People: accounts, signing in, server-side sessions, one-time tokens, consent."""
