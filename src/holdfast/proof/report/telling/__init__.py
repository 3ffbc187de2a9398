"""A report told: every part of it as headings, tables and charts, in the order in which a person asks."""
