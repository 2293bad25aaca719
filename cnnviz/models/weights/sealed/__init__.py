"""Reads pickles in a process of its own that has little memory, little time and no torch."""
