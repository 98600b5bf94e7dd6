"""The command `footnote eval`."""
