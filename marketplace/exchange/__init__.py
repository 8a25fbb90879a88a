"""Bringing data in and out: imports as one audited act, all or nothing."""
