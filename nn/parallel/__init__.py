"""Training on many processors: many processes share one training (MPI), executors run many, BLAS uses threads."""
