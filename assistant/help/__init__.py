"""What there is to know about Footnote, by topic: for the command, the page and whoever reads."""
