"""The laboratory as a command."""

import sys

from .runner import main

sys.exit(main())
