"""Measurements, recorded and not judged: `make bench`."""
