"""The fact catalogue: which business events the legacy applications mean, and what each must say.

A field's type is a word (`int`, `text`, `date`, `decimal`, `bool`, an enum written `a|b|c`), with `?` behind it if it
may be null; a dict is a record; a list of one type is an array, whose order has no meaning. In the truth file dates are
ISO text (`2026-11-25`) and decimals are text (`12.50`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EVENTS", "INTENTS", "PLACE", "STATES", "EventSpec", "FieldType", "Maybe"]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A record that may be null."""

    record: Mapping[str, str]


FieldType = str | Mapping[str, "FieldType"] | list["FieldType"] | Maybe

INTENTS = ("fact", "correction", "merge", "pending", "undetermined")
"""Intents of the truth; `state` belongs to snapshots alone."""

PLACE: Mapping[str, str] = {"street": "text", "postcode": "text", "city": "text", "country": "text"}

KIND = "residential|billing|shipping|legal"
STATUS = "active|prospect|merged|anonymised"
PURPOSE = "email|telephone|post|profiling"
DECISION = "given|refused|unasked"
ROLE = "holder|insured|payer|claimant"
PRODUCT = "motor|home|liability|life"
METHOD = "transfer|card|debit"
CLAIM_STATUS = "open|assessed|settled|refused|closed"
CLAIMANT: Mapping[str, FieldType] = {"claimantId": "int", "name": "text", "phone": "text?", "email": "text?"}


@dataclass(frozen=True, slots=True)
class EventSpec:
    """One event type: its aggregate, the intents it may carry, and its essential payload field by field."""

    name: str
    aggregate: str
    intents: tuple[str, ...]
    fields: Mapping[str, FieldType]


def _event(event: str, aggregate: str, intents: str, /, **fields: FieldType) -> EventSpec:
    return EventSpec(event, aggregate, tuple(intents.split()), fields)


_CUSTOMER = [
    _event(
        "CustomerRegistered",
        "Customer",
        "fact",
        customerId="int",
        name="text",
        firstName="text?",
        birthDate="date?",
        status="active|prospect",
        language="text",
        addresses=[{"kind": KIND, "address": PLACE, "validFrom": "date"}],
        consents=[{"purpose": PURPOSE, "decision": DECISION}],
    ),
    _event("CustomerNameChanged", "Customer", "fact undetermined", customerId="int", name="text", firstName="text?"),
    _event("CustomerNameCorrected", "Customer", "correction", customerId="int", name="text", firstName="text?"),
    _event(
        "CustomerAddressChanged",
        "Customer",
        "fact undetermined",
        customerId="int",
        kind="residential|billing|shipping",
        address=PLACE,
        validFrom="date?",
    ),
    _event("CustomerAddressCorrected", "Customer", "correction", customerId="int", kind=KIND, address=PLACE),
    _event("CustomerLegalDomicileChanged", "Customer", "fact", customerId="int", address=PLACE, validFrom="date?"),
    _event("CustomerShippingPreferenceChanged", "Customer", "fact", customerId="int", preference="home|pickup|office"),
    _event(
        "CustomerContactPreferenceChanged", "Customer", "fact", customerId="int", channel="email|telephone|letter|none"
    ),
    _event(
        "CustomerAddressChangeRequested",
        "Customer",
        "pending",
        customerId="int",
        kind="residential|billing|shipping",
        requested=PLACE,
    ),
    _event(
        "CustomerAddressChangeRejected",
        "Customer",
        "fact",
        customerId="int",
        kind="residential|billing|shipping",
    ),
    _event("CustomerConsentUpdated", "Customer", "fact", customerId="int", purpose=PURPOSE, decision=DECISION),
    _event("CustomerMerged", "Customer", "merge", customerId="int", survivorId="int", mergedOn="date"),
    _event("CustomerUnmerged", "Customer", "correction", customerId="int", formerSurvivorId="int"),
    _event("CustomerAnonymised", "Customer", "fact", customerId="int"),
    _event("CustomerDeactivated", "Customer", "fact", customerId="int", deactivatedOn="date"),
    _event("CustomerReactivated", "Customer", "fact", customerId="int"),
    _event("CustomerRenumbered", "Customer", "fact", customerId="int", oldCustomerId="int", newCustomerId="int"),
]

_ROLE_CHANGE = "fact merge correction"
_POLICY = [
    _event(
        "PolicyIssued",
        "Policy",
        "fact",
        policyId="int",
        policyNumber="text",
        product=PRODUCT,
        validFrom="date",
        premium="decimal",
        paymentFrequency="monthly|quarterly|yearly",
        parties=[{"role": ROLE, "customerId": "int"}],
    ),
    _event(
        "PolicyEndorsed",
        "Policy",
        "fact",
        policyId="int",
        endorsementNumber="int",
        kind="coverage|deductible|premium|insured",
        effectiveFrom="date",
        premium="decimal",
        insuredAdded=["int"],
    ),
    _event(
        "PolicyCancelled",
        "Policy",
        "fact",
        policyId="int",
        cancelledOn="date",
        reason="request|nonpayment|sold",
    ),
    _event("PolicyHolderChanged", "Policy", _ROLE_CHANGE, policyId="int", holderId="int", formerHolderId="int"),
    _event(
        "InvoiceRecipientChanged", "Policy", _ROLE_CHANGE, policyId="int", recipientId="int", formerRecipientId="int"
    ),
    _event(
        "PolicyPartyChanged",
        "Policy",
        _ROLE_CHANGE,
        policyId="int",
        role="insured|claimant",
        customerId="int",
        formerCustomerId="int",
    ),
    _event("PolicyPartyAdded", "Policy", "fact", policyId="int", role="claimant", customerId="int"),
]

_BILLING = [
    _event("BillingAccountOpened", "BillingAccount", "fact", accountId="int", policyId="int", balance="decimal"),
    _event(
        "InvoiceIssued",
        "BillingAccount",
        "fact",
        accountId="int",
        invoiceId="int",
        invoiceNumber="text",
        amount="decimal",
        dueOn="date",
        balance="decimal",
    ),
    _event(
        "PaymentReceived",
        "BillingAccount",
        "fact",
        accountId="int",
        paymentId="int",
        amount="decimal",
        paidOn="date",
        method=METHOD,
        balance="decimal",
    ),
    _event(
        "PaymentReversed",
        "BillingAccount",
        "fact correction",
        accountId="int",
        paymentId="int",
        reversedPaymentId="int",
        amount="decimal",
        balance="decimal",
    ),
]

_CLAIM = [
    _event(
        "ClaimOpened",
        "Claim",
        "fact",
        claimId="int",
        claimNumber="text",
        policyId="int?",
        customerId="int?",
        lossDate="date",
        cause="fire|water|theft|collision|other",
        claimants=[CLAIMANT],
    ),
    _event(
        "ClaimStatusChanged",
        "Claim",
        "fact correction undetermined",
        claimId="int",
        status=CLAIM_STATUS,
        formerStatus=CLAIM_STATUS,
    ),
    _event(
        "ClaimantContactChanged",
        "Claim",
        "fact",
        claimId="int",
        claimantId="int",
        phone="text?",
        email="text?",
    ),
]

EVENTS: Mapping[str, EventSpec] = {spec.name: spec for spec in [*_CUSTOMER, *_POLICY, *_BILLING, *_CLAIM]}
"""Every event type the truth knows, by name."""

_STATE_SPECS = [
    _event(
        "CustomerState",
        "Customer",
        "state",
        customerId="int",
        name="text",
        firstName="text?",
        status=STATUS,
        deleted="bool",
        survivorId="int?",
    ),
    _event(
        "CustomerAddressState",
        "Customer",
        "state",
        customerId="int",
        kind=KIND,
        address=PLACE,
        check="pending|verified|rejected?",
        previousAddress=Maybe(PLACE),
        validFrom="date",
        validTo="date?",
    ),
    _event("CustomerConsentState", "Customer", "state", customerId="int", purpose=PURPOSE, decision=DECISION),
    _event("PolicyState", "Policy", "state", policyId="int", policyNumber="text", status="active|cancelled"),
    _event("PolicyRoleState", "Policy", "state", policyId="int", role=ROLE, customerId="int"),
    _event("BillingAccountState", "BillingAccount", "state", accountId="int", policyId="int", balance="decimal"),
    _event("ClaimState", "Claim", "state", claimId="int", claimNumber="text", status=CLAIM_STATUS),
    _event(
        "ClaimantState",
        "Claim",
        "state",
        claimId="int",
        claimantId="int",
        name="text",
        phone="text?",
        email="text?",
    ),
]

STATES: Mapping[str, EventSpec] = {spec.name: spec for spec in _STATE_SPECS}
"""Events of the initial snapshot: each speaks of ONE row; a consumer's first picture is built from them."""
