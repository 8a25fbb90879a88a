"""Commands behind the Makefile; nothing here is imported by the marketplace."""
