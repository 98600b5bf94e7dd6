"""The weights of the reading model, with their card."""
