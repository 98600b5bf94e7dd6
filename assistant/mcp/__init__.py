"""The assistant for clients of the Model Context Protocol."""
