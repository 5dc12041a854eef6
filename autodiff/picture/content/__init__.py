"""What a picture shows, before any geometry: cards, wires, scopes, names."""
