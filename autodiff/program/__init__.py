"""A function of arrays as a program: a list of NumPy calls, recorded once, made smaller, written as source and run."""
