"""供需清单: lists of supply needs, each line with its specification as indicators."""
