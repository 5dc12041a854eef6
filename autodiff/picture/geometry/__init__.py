"""Where the cards and wires of a picture go. Numbers only."""
