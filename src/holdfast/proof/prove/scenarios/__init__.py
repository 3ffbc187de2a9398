"""One file for each scenario: its data, its load, its thresholds and its own checks."""
