"""The small networks that cnnviz brings along, one file per family."""
