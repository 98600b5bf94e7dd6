"""What the page, the API and MCP share: whose documents, who is let in, in which order."""
