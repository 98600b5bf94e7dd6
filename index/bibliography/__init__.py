"""What a reference manager says of documents, from the files that it exports."""
