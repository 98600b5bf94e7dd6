"""From a question to evidence: searching, reading, features."""
