"""`python -m autodiff`: the command line."""

import sys

from autodiff.command.main import main

if __name__ == "__main__":
    sys.exit(main())
