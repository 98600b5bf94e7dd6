"""Whether the documents support a sentence, and which of their sentences do."""
