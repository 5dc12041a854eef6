"""Training on many processors: one training by many processes (MPI), many trainings by executors, BLAS's threads."""
