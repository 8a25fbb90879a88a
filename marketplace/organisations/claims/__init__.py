"""A verified organisation takes over what was collected under its name."""
