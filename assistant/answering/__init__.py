"""From evidence to an answer: whether there is one, which sentences it is, how it is cited."""
