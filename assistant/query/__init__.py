"""From what a person types to a question that can be looked up."""
