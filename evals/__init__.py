"""Evaluation of the copilot, over HTTP only: suites, scorers, runner, report. `worlds` holds the simulated company."""
