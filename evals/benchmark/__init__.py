"""Speed and size as the index grows, each beside a bare baseline."""
