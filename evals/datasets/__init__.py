"""Question sets: formats, and the gold evidence in their documents."""
