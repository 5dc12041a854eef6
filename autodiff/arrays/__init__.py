"""The Tensor, and everything that makes it an array: operators, methods, NumPy's protocols."""
