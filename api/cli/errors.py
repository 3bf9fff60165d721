"""Errors as the command line shows them: one line, a remedy, an exit code."""

from __future__ import annotations

USAGE, REFUSED, DENIED, UNREACHABLE = 2, 3, 4, 5
EXIT_CODES = {
    400: USAGE,
    401: DENIED,
    403: DENIED,
    404: REFUSED,
    409: REFUSED,
    422: USAGE,
    429: DENIED,
    503: UNREACHABLE,
}


class CliError(Exception):
    """What went wrong, in one line, with what to do about it."""

    def __init__(self, message: str, *, remedy: str = "", code: int = 1, problem: object = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code
        self.problem = problem
