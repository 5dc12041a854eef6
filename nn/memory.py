"""Memory that the process keeps between the steps of a training, on request."""

import numpy as np


def reuse_memory() -> None:
    """Keep freed arrays below 32 MB in the process for its next arrays, instead of returning them to the system.

    Call it once, before a convolutional network is trained on Linux. The C library there (glibc) hands large blocks
    back when they are freed, and the system clears the next array page by page as it is first written, which can take
    half of a small network's step. Freeing one block of nearly 32 MB raises the size from which it does so (mallopt(3),
    M_MMAP_THRESHOLD). It holds for the whole process and cannot be taken back; elsewhere it changes nothing.

    >>> nn.reuse_memory()
    """
    np.empty(2**25 - 2**16, np.uint8)
