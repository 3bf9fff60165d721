"""Whether a process may go live at a site: checks over the company's data, thresholds as data, a daily review after."""
