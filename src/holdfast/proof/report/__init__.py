"""The report of a proof: what was measured, what follows from it, and the page that tells it."""
