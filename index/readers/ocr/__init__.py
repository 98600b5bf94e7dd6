"""Pages and pictures that hold text as an image of it."""
