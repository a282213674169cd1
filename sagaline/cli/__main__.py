"""`python -m sagaline.cli`."""

from sagaline.cli import main

main()
