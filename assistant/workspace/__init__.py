"""What people keep: their documents, notebooks, conversations and notes."""
