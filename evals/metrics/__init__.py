"""Figures of records, with intervals and paired tests."""
