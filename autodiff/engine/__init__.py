"""The engine: nodes, the table of functions, the recorder, the reverse and the forward pass. It has no Tensor."""
