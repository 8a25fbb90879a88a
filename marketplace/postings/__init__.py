"""What challenges, needs and capabilities have in common: columns, indicators, forms, lists, texts for matching."""
