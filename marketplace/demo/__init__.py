"""The demonstration marketplace: own writing, invented organisations."""
