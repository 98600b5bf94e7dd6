"""Makes the reading model and the word lists that ship."""
