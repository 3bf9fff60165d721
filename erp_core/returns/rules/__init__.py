"""Pure rules of returns: no database, no clock. One module a question.

`life` what follows what · `terms` what may come back · `disposition` where goods go · `risk` who should look ·
`spikes` whether more comes back than before.
"""

from __future__ import annotations

from erp_core.returns.rules.disposition import DISPOSITION_BY_CONDITION, Found, Verdict, disposition_for
from erp_core.returns.rules.life import (
    DISPOSITION_STEPS,
    ENDED,
    NOTHING_BACK,
    RETURN_STEPS,
    STAYING,
    STRANDED_AFTER_DAYS,
    UNDECIDED,
    Progress,
    order_stage,
    returnable,
    share_of,
    ways_on,
)
from erp_core.returns.rules.risk import LOOK_FROM, Behaviour, Risk, RiskReason, judge_risk
from erp_core.returns.rules.terms import DEFAULT_TERMS, FAULTS, RESALE, ReturnTerms, Window, terms_for

__all__ = [
    "DEFAULT_TERMS",
    "DISPOSITION_BY_CONDITION",
    "DISPOSITION_STEPS",
    "ENDED",
    "FAULTS",
    "LOOK_FROM",
    "NOTHING_BACK",
    "RESALE",
    "RETURN_STEPS",
    "STAYING",
    "STRANDED_AFTER_DAYS",
    "UNDECIDED",
    "Behaviour",
    "Found",
    "Progress",
    "ReturnTerms",
    "Risk",
    "RiskReason",
    "Verdict",
    "Window",
    "disposition_for",
    "judge_risk",
    "order_stage",
    "returnable",
    "share_of",
    "terms_for",
    "ways_on",
]
