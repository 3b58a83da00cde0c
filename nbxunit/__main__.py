"""`python -m nbxunit` is the command `nbxunit`."""

import sys

from nbxunit.host.cli import main

if __name__ == "__main__":
    sys.exit(main())
