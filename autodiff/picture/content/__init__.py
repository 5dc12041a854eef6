"""The content of a picture, before any geometry: cards, wires, scopes, names."""
