"""Arrays to pictures: tiles, grids, strips, bars, labels. Knows no models."""
