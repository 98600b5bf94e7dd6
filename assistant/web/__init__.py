"""The web page and the tools for MCP clients."""
