"""`python -m tacit` is `tacit`; `accelerate launch -m tacit ...` needs it."""

import sys

from tacit.cli import main

sys.exit(main())
