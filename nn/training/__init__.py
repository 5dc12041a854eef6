"""`fit` and its parts: samples, arguments, the loop, callbacks, checkpoints."""
