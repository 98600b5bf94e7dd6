"""From a file to a document: its text, paragraphs and sentences."""
