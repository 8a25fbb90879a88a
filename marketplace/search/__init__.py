"""Finding: one index of terms over everything public, highlights, counts, saved searches, favourites."""
