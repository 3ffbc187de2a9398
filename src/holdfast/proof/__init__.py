"""Proof: measures and checks a Holdfast from outside, over HTTP and by reading its database. The product knows
nothing of it, and it knows of the product only what a client or an administrator could know.
"""
