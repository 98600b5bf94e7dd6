"""Fits the numbers that the assistant decides by."""
