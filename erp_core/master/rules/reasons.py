"""The catalogue of reason codes that a company starts with. A kind says what the reason is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code. `effect` is what the system does differently for it; `fixed` ones are set by rules, so
    they cannot be switched off.
    """

    kind: str
    code: str
    label: str
    effect: str | None = None
    active: bool = True
    fixed: bool = False


EFFECTS: Mapping[str, tuple[str, ...]] = {
    "stock_adjustment": ("loss",),
    "order_cancellation": ("company",),
}
"""What a code of a kind may mean to the system: a loss is written off; the company's own doing is lost demand."""

KINDS: Mapping[str, str] = {
    "stock_adjustment": "Why stock is corrected or a posting reversed",
    "order_cancellation": "Why a sales order is cancelled",
    "order_hold": "Why a sales order is on hold",
    "pick_cancellation": "Why a pick list is withdrawn",
    "outage": "Why a place cannot work or be heard of",
    "carrier_override": "Why a parcel goes with another carrier than the rules chose",
    "order_split": "Why an order leaves in more parcels than the rules allow",
    "landed_cost_reversal": "Why a landed cost is taken back",
    "receipt_reversal": "Why a receipt of goods is reversed",
    "vendor_return": "Why goods go back to a supplier from stock",
    "vendor_return_reversal": "Why a return to a supplier is taken back",
    "quality_hold": "Why stock is held back or recalled",
    "purchase_order_cancellation": "Why a purchase order is cancelled",
    "purchase_order_close": "Why a purchase order is closed, short or complete",
    "purchase_order_change": "Why an approved purchase order is changed",
    "quotation_award": "Why another quotation is awarded than the recommended one, or before all answered",
    "contract_end": "Why a contract with a supplier ends early",
    "supplier_delay": "Why a supplier is late",
    "terms_override": "Why a quantity stands that breaks a supplier's terms",
    "return": "Why a customer returns goods",
    "return_override": "Why goods may come back against the terms",
    "putaway_override": "Why goods are put away elsewhere than the rules say",
    "return_ended": "Why a return is cancelled, or its receipt taken back",
    "disposition_override": "Why returned goods go another way than the rule says",
    "customer_credit": "Why a customer is given money back without a return",
    "not_duplicate": "Why a record that looks like a duplicate is none",
    "supplier_block": "Why a supplier is blocked or sent back",
    "supplier_risk": "Why a supplier is of another risk class",
    "invoice_dispute": "Why a supplier's invoice is disputed or rejected",
    "invoice_acceptance": "Why a supplier's invoice is paid that does not match",
}


def _reasons(kind: str, **labels: str) -> Iterator[Reason]:
    for code, label in labels.items():
        yield Reason(kind, code, label)


def _fixed(kind: str, **labels: str) -> Iterator[Reason]:
    for code, label in labels.items():
        yield Reason(kind, code, label, fixed=True)


def _marked(kind: str, effect: str, **labels: str) -> Iterator[Reason]:
    for code, label in labels.items():
        yield Reason(kind, code, label, effect)


REASONS: Mapping[tuple[str, str], Reason] = {
    (one.kind, one.code): one
    for one in (
        *_reasons("stock_adjustment", counted="Counted", found="Found", data_error="Entered wrongly"),
        *_marked(
            "stock_adjustment",
            "loss",
            damaged="Damaged",
            lost="Lost",
            expired="Expired",
            sample="Taken as a sample",
            theft="Stolen",
        ),
        *_reasons(
            "order_cancellation",
            customer_request="The customer asked for it",
            payment_failed="The payment failed",
            fraud="Suspected fraud",
            duplicate="Ordered twice",
        ),
        *_marked(
            "order_cancellation", "company", out_of_stock="Out of stock", discontinued="Item discontinued"
        ),
        *_fixed(
            "order_hold",
            payment_pending="Payment is pending",
            payment_review="Payment is under review",
            reservation_expired="The reservation ran out",
            fraud_check="Suspected fraud is being checked",
            service_not_offered="No carrier offers the speed to the customer",
        ),
        *_reasons(
            "order_hold",
            address_problem="The address cannot be delivered to",
            credit_limit="The customer's credit is used up",
            customer_request="The customer asked to wait",
            quality_problem="The goods may be faulty",
        ),
        *_reasons(
            "quality_hold",
            inspection_due="An inspection is due",
            inspection_failed="An inspection failed",
            damage_suspected="Damage is suspected",
            papers_missing="Papers are missing",
            supplier_notice="The supplier warns of it",
            safety_notice="It may harm somebody",
        ),
        *_fixed("quality_hold", expired="Its last day is over"),
        *_reasons(
            "pick_cancellation",
            goods_not_found="The goods were not found",
            goods_damaged="The goods were found damaged",
            carrier_missed="The carrier was missed",
            released_in_error="Released in error",
        ),
        *_reasons(
            "carrier_override",
            customer_request="The customer asked for it",
            carrier_problem="The chosen carrier has a problem",
            goods_unsuitable="The goods do not suit the chosen service",
            late_already="The order is late already",
        ),
        *_reasons(
            "landed_cost_reversal",
            wrong_amount="The amount was wrong",
            wrong_order="It belongs to another order",
            charged_twice="It was charged twice",
            credited="The forwarder credited it",
        ),
        *_reasons(
            "customer_credit",
            goodwill="Goodwill",
            late_delivery="It came late",
            price_promise="It was cheaper elsewhere, or later here",
            kept_with_fault="The customer keeps goods with a fault",
            charged_wrongly="Too much was charged",
        ),
        *_reasons(
            "receipt_reversal",
            counted_wrongly="More or less was counted than came",
            wrong_order="It was posted to another order",
            wrong_goods="Other goods came",
            posted_twice="It was posted twice",
        ),
        *_reasons(
            "vendor_return",
            quality="They are not as they should be",
            recall="The supplier recalls them",
            wrong_delivery="Other goods, or more than was ordered",
            too_old="They will not last",
            agreed="The supplier takes them back by agreement",
        ),
        *_reasons(
            "vendor_return_reversal",
            supplier_sent_back="The supplier sent them back",
            never_left="They never left",
            counted_wrongly="More or less was counted than left",
            wrong_order="It was posted to another order",
        ),
        *_reasons(
            "order_split",
            customer_request="The customer asked for it",
            promise_at_risk="The promise would be missed otherwise",
            goods_late="The rest arrives too late to wait for",
            goods_unsuitable="The goods do not go together",
        ),
        *_reasons(
            "outage",
            system_down="Its system is down",
            no_connection="It cannot be reached",
            power_cut="The power is cut",
            closed="It is closed by weather, fire or strike",
        ),
        *_reasons(
            "purchase_order_cancellation",
            not_needed="No longer needed",
            supplier_cannot_deliver="The supplier cannot deliver",
            entered_in_error="Entered in error",
            price="Price",
            replaced="Replaced by another order",
        ),
        *_reasons(
            "purchase_order_close",
            complete="Everything arrived",
            remainder_not_needed="The remainder is not needed",
            supplier_cannot_deliver="The supplier cannot deliver the remainder",
        ),
        *_reasons(
            "purchase_order_change",
            demand_changed="Demand is otherwise than planned",
            supplier_asked="The supplier confirmed otherwise",
            supplier_cannot_deliver="The supplier cannot deliver it",
            price_agreed="Another price was agreed",
            entered_wrongly="Entered wrongly",
            other_date="Needed on another day",
        ),
        *_reasons(
            "quotation_award",
            quality="Better quality",
            second_source="A second source is wanted",
            service="Better service or terms",
            capacity="The recommended one cannot deliver enough",
            urgent="It cannot wait for the other answers",
        ),
        *_reasons(
            "contract_end",
            better_price="A better price was agreed",
            not_needed="No longer needed",
            supplier_failed="The supplier does not keep it",
            agreed_together="Both agreed to end it",
        ),
        *_reasons(
            "supplier_delay",
            production="Production",
            raw_material="Raw material",
            quality_hold="Quality hold",
            capacity="Capacity",
            holiday="Holiday",
            carrier="Carrier",
            port_congestion="Port congestion",
            customs="Customs",
            weather="Weather",
            late_approval="Approved late",
            planning_error="Planning error",
        ),
        *_reasons(
            "terms_override",
            supplier_agreed="The supplier agreed to it",
            last_lot="Last lot of the season or item",
            trial_order="Trial order",
            urgent_need="Urgent need",
            drop_ship="The supplier sends it to our customer",
        ),
        *_reasons(
            "return",
            changed_mind="Changed mind",
            size_or_fit="Size or fit",
            not_as_described="Not as described",
            damaged_in_transit="Damaged in transit",
            defective="Defective",
            wrong_item="Wrong item",
            late="Arrived late",
            other="Other",
        ),
        *_reasons(
            "return_override",
            goodwill="Goodwill",
            warranty="The maker's warranty",
            our_mistake="Our own mistake",
            recall="The goods are recalled",
            sent_too_much="More was sent than was recorded",
        ),
        *_reasons(
            "putaway_override",
            no_room="There is no room",
            place_blocked="The place cannot be reached",
            awkward_goods="The goods do not fit there",
            ships_at_once="They ship at once",
        ),
        *_reasons(
            "return_ended",
            customer_keeps="The customer keeps the goods",
            never_sent="The goods were never sent",
            made_in_error="It was made in error",
            wrong_goods="Other goods came than were authorised",
            counted_wrongly="The goods were counted wrongly",
        ),
        *_reasons(
            "disposition_override",
            inspector_judgement="Inspector's judgement",
            supplier_agreement="Agreement with the supplier",
            no_resale_market="Nobody would buy it",
            safety="Safety",
            cost_of_repair="Repair costs too much",
        ),
        *_reasons(
            "not_duplicate",
            other_variant="Another variant",
            other_company="Another company of the same name",
            same_group="Another company of the same group",
            other_pack="Another pack size",
        ),
        *_reasons(
            "supplier_block",
            documents_missing="Documents missing or run out",
            terms_incomplete="Terms incomplete",
            quality="Quality",
            delivery="Deliveries",
            dispute="Dispute",
            compliance="Compliance",
            business_ended="Business ended",
        ),
        *_reasons(
            "supplier_risk",
            assessed="Assessed again",
            quality="Quality",
            delivery="Deliveries",
            finances="Its finances",
            compliance="Compliance",
            country="Where it makes or ships the goods",
        ),
        *_reasons(
            "invoice_dispute",
            price="The price is not the one agreed",
            quantity="More is billed than came",
            goods_faulty="The goods are faulty",
            duplicate="It was billed before",
            not_ordered="It was not ordered",
            wrong_on_its_face="It does not add up, or is in the wrong currency",
        ),
        *_reasons(
            "invoice_acceptance",
            price_agreed="The new price was agreed",
            credit_received="A credit note came for the difference",
            second_delivery="It is a second delivery, not a double",
            agreed_in_advance="Paying in advance was agreed",
            small_difference="The difference is not worth the trouble",
        ),
    )
}
"""What a company starts with; `SetReasonCode` adds codes, renames them and switches them off."""
