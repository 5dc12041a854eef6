"""Functions of functions: grad and its kin, checkpoints, difference quotients."""
