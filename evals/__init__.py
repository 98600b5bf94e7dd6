"""Question sets, metrics, runner. Uses only what any developer can use of the assistant."""
