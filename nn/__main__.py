"""`python -m nn`: the command line."""

import sys

from nn.playing.command import main

if __name__ == "__main__":
    sys.exit(main())
