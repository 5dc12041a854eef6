"""A picture's graph in other forms: Graphviz, Mermaid, JSON, text, a page."""
