"""``python -m cnnviz`` is the command ``cnnviz``."""

from cnnviz.cli.main import main

main()
