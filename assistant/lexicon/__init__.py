"""Word lists: synonyms and opposites of common English words, and names of countries."""
