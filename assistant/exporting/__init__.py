"""Answers as files to take along: Word, Markdown, and references for a bibliography."""
