"""`fit` and what it is made of: samples, arguments, the loop, callbacks, checkpoints."""
