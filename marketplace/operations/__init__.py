"""What keeps an installation healthy: `flask doctor` before it serves, `flask invariants` while it does."""
