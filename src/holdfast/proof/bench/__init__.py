"""`holdfast bench`: ratios against yardsticks taken in the same run."""
