"""The command line: each command parses, calls one job, and prints what it did."""
