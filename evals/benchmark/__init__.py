"""How well the structure of files is told."""
