"""How the shipped weights were made; nothing here is part of the package."""
