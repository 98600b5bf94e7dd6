"""Language models: the client, what they are told, and what is kept from them."""
