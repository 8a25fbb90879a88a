"""Versioned reference data: clusters, regions, industries, units, maturity levels, cooperation forms."""
