"""Fits the numbers that the assistant decides by, and compares it with other ways."""
