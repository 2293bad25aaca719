"""Figures to show to others: PNG, SVG or PDF. The only room that imports matplotlib."""
