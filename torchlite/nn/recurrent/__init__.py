"""Sequences: cells, what runs them step by step or all at once, masks and criterions of steps."""

from torchlite.nn.recurrent import element_research

__all__ = ["element_research"]
