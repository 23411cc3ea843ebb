"""Sequences: cells, what runs them step by step or all at once, masks and criterions of steps."""
