"""Whole models: every layer's size, cost and receptive field, and what they come to."""
