"""The seeds' load tests for Locust, and the data that they run on."""
