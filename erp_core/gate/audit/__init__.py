"""The audit log as evidence: sealed in a Merkle log, verified entry by entry, proved and exported to auditors."""

from erp_core.gate.audit.checkpoints import Checkpoint, LogFiles
from erp_core.gate.audit.findings import Finding, Verification
from erp_core.gate.audit.sealing import Sealer

__all__ = ["Checkpoint", "Finding", "LogFiles", "Sealer", "Verification"]
