"""Functions of functions: grad and its relatives, checkpoints, checks by difference quotients."""
