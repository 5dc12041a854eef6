"""A function of arrays as a program: a list of NumPy calls, recorded once, optimised, written as source, and run."""
