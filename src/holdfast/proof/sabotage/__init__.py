"""Builds of the product that are broken on purpose, each in one way: a check that has never gone red is no check."""
