"""Holdfast: clinic scheduling that cannot double-book and can prove it."""

__version__ = "0.1.0"
