"""Files in, documents out: a module for each kind of file, and those that choose among them."""
