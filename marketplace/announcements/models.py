"""Tables of announcements."""
