"""How the tables came to be as they are: one history for all tables of a database, those of
`assistant` among them. Each step is written once and never changed."""
