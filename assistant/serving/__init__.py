"""What every server here has: what requests pass, what is told of them, how events are sent."""
