"""What clients saw, logged while they asked, held against itself and against what is stored."""
