"""python -m paygrade: the same as the command paygrade."""

import sys

from paygrade.commands import main

if __name__ == "__main__":
    sys.exit(main())
