"""Memory that the process keeps between the steps of a training."""

import numpy as np


def reuse_memory() -> None:
    """Keep freed arrays below 32 MB in the process for its next arrays, instead of returning them to the system.

    Call it once before you train a convolutional network on Linux. The C library there (glibc) returns large blocks to
    the system when they are freed. The system then clears the pages of the next array, which can take half of the time
    of a small network's step. Freeing one block of nearly 32 MB raises the size from which blocks are returned
    (mallopt(3), M_MMAP_THRESHOLD). This holds for the whole process and cannot be undone; on other systems it changes
    nothing.

    >>> nn.reuse_memory()
    """
    np.empty(2**25 - 2**16, np.uint8)
