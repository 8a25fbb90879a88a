"""Read-only pages across features, for the administrators."""
