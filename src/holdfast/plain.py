"""The base of errors whose message is a finished sentence for the person at the command line. Imports nothing."""


class PlainError(Exception):
    """Printed as it is, without a traceback: it says what is wrong and what to do."""
