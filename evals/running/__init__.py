"""Asks the questions of a set and keeps a record of each."""
