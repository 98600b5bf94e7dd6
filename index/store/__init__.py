"""What the index keeps on the disk, and how processes share it."""
