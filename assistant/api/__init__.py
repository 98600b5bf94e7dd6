"""The API: for other programs, in its own terms and in OpenAI's protocol."""
