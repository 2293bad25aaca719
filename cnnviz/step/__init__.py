"""The arithmetic of a sliding window, one position at a time, on exact numbers."""
