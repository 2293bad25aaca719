"""What building a network takes, whoever wrote it: light, without memory, without wrappers."""
