"""The agent's tools for MCP clients: the same definitions over the same gate, read and propose, nothing else."""
