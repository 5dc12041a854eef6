"""The places of a picture's cards and wires, as numbers."""
