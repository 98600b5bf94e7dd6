"""Results as JSON, tables, a page, and comparisons."""
