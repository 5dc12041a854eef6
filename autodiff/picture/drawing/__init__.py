"""A picture as SVG. Strings only."""
