"""The page that plays a computation forward and its derivative in reverse."""
