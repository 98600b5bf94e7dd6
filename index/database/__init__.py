"""The relational database: everything that is not a vector, changed in transactions."""
