"""What the database itself refuses about decisions: a second duty, a decision without a right, an execution without quorum.

The gate refuses all of this before, with better words. These triggers hold for a gate with a defect in it, and
for whoever writes the tables directly. They see rows only: whether a read-set still holds, or which policy is in force, is
the gate's to know.
"""

from __future__ import annotations

from erp_core.storage.refusals import Refusal

_SECOND_DUTY = """
EXISTS (
    SELECT 1 FROM duties d
    JOIN separation_rules r ON (r.duty = NEW.duty AND r.other = d.duty) OR (r.other = NEW.duty AND r.duty = d.duty)
    WHERE d.subject_id = NEW.subject_id AND d.person_id = NEW.person_id AND r.active
        AND NOT EXISTS (SELECT 1 FROM separation_rules n WHERE n.id = r.id AND n.version > r.version)
)"""

_NO_RIGHT = """
NOT EXISTS (
    SELECT 1 FROM proposals p
    JOIN proposal_states s ON s.proposal_id = p.id AND s.status = 'pending'
    JOIN users u ON u.id = NEW.user_id AND u.active AND u.person_id = NEW.person_id
    JOIN users a ON a.id = p.requested_by
    WHERE p.id = NEW.proposal_id AND p.payload_hash = NEW.quoted_hash
        AND a.person_id <> NEW.person_id AND a.person_id <> NEW.authority_id
        AND EXISTS (
            SELECT 1 FROM user_roles h JOIN users o ON o.id = h.user_id AND o.active
            WHERE h.role = NEW.acting_as AND o.person_id = NEW.authority_id
        )
        AND (NEW.person_id = NEW.authority_id OR EXISTS (
            SELECT 1 FROM delegations l JOIN users o ON o.id = l.lender_id
            WHERE l.borrower_id = NEW.user_id AND o.person_id = NEW.authority_id AND l.role = NEW.acting_as
                AND NOT EXISTS (SELECT 1 FROM delegation_ends e WHERE e.delegation_id = l.id)
        ))
        AND (NEW.role = NEW.acting_as OR EXISTS (
            SELECT 1 FROM proposal_escalations x WHERE x.proposal_id = p.id AND x.role = NEW.acting_as
        ))
)"""

_NO_QUORUM = """
NOT EXISTS (SELECT 1 FROM proposal_states s WHERE s.proposal_id = NEW.proposal_id AND s.status = 'pending')
OR EXISTS (
    SELECT 1 FROM proposals p, {needed}
    WHERE p.id = NEW.proposal_id AND {people} > (
        SELECT count(DISTINCT d.person_id) FROM proposal_decisions d
        WHERE d.proposal_id = p.id AND d.decision = 'approve' AND d.role = {role}
    )
)"""

_JSON = {
    "sqlite": {
        "needed": "json_each(p.approvers) n",
        "people": "json_extract(n.value, '$.people')",
        "role": "json_extract(n.value, '$.role')",
    },
    "postgresql": {
        "needed": "jsonb_array_elements(p.approvers::jsonb) n",
        "people": "(n.value ->> 'people')::int",
        "role": "n.value ->> 'role'",
    },
}


def quorum_refusals(dialect: str) -> tuple[Refusal, ...]:
    """What is refused on `sqlite` or `postgresql`, which read JSON each in their own way."""
    no_quorum = _NO_QUORUM.format(**_JSON[dialect])
    return tuple(
        Refusal(f"{table}_rightful", table, ("INSERT",), ((reason, refused),))
        for table, refused, reason in (
            ("duties", _SECOND_DUTY, "separation of duties: this person had another part in the document"),
            ("proposal_decisions", _NO_RIGHT, "a decision by nobody who may decide on what was shown"),
            ("executions", no_quorum, "an execution without the approvals asked for"),
        )
    )
