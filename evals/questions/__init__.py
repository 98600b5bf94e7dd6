"""The question sets that ship with the project."""
