"""The document that Footnote ships with."""
