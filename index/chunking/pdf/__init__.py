"""PDF: what is printed on its pages (`pages`), what of it belongs together (`regions`), and all
of it as a layout (`reader`)."""
