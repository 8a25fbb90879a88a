"""Who did what, when: append-only, hash-chained, anchored outside the database."""
