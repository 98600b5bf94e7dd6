"""The words of the documents: which paragraphs hold which, kept from one change to the next."""
