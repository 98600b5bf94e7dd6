"""What programs and the page tell and are told, as typed values."""
