"""Trainings on many processors: one by many processes with MPI, many at once by executors, and threads of BLAS."""
