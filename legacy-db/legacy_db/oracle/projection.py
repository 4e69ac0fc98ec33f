"""What a consumer knows who has read nothing but published events: state events first, then what happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from legacy_db.facts import PLACE
from legacy_db.oracle.legacy_view import Rows

__all__ = ["project"]

PublishedEvent = Mapping[str, Any]


@dataclass(slots=True)
class _Customer:
    name: str | None = None
    first_name: str | None = None
    status: str | None = None
    deleted: bool = False
    survivor: int | None = None
    current: dict[str, Any] = field(default_factory=dict)
    requested: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, str] = field(default_factory=dict)


def project(published: Iterable[PublishedEvent]) -> Rows:
    """The relations of reconcile as the events give them. Events are dicts in topic order: {event, intent,
    aggregateType, aggregateId, txId, data}; each aggregate's order counts, that between aggregates does not."""
    streams: dict[str, dict[int, list[PublishedEvent]]] = defaultdict(lambda: defaultdict(list))
    for event in published:
        streams[event["aggregateType"]][int(event["aggregateId"])].append(event)
    rows: Rows = {name: {} for name in ("customer", "address", "requested address", "consent")}
    customers = _Customers(streams["Customer"])
    for number in streams["Customer"]:
        customer = customers.known(number)
        if customer is not None:
            _enter(rows, number, customer)
    rows["policy"] = _statuses(streams["Policy"], "policyNumber", _POLICY_STATUS)
    rows["claim"] = _statuses(streams["Claim"], "claimNumber", _CLAIM_STATUS)
    rows["role"] = _roles(streams["Policy"])
    rows["balance"] = _balances(streams["BillingAccount"])
    rows["claimant"] = _claimants(streams["Claim"])
    return rows


class _Customers:
    """Customers by number. One who got a new number is found under it, with all that was known under the old."""

    def __init__(self, streams: Mapping[int, list[PublishedEvent]]) -> None:
        self._streams = streams
        self._done: dict[int, _Customer | None] = {}
        self._left: dict[int, _Customer] = {}

    def known(self, number: int) -> _Customer | None:
        """The customer under that number, or None if the number was given up."""
        if number not in self._done:
            self._done[number] = None  # ends a circle, which only broken events could make
            self._done[number] = self._read(number)
        return self._done[number]

    def _read(self, number: int) -> _Customer | None:
        customer: _Customer | None = _Customer()
        for event in self._streams.get(number, ()):
            name, data = event["event"], event["data"]
            if name == "CustomerRenumbered":
                if data["newCustomerId"] != number:
                    self._left[number] = customer or _Customer()
                    customer = None
                    continue
                self.known(data["oldCustomerId"])
                customer = self._left.get(data["oldCustomerId"], _Customer())
            elif name in _ON_CUSTOMER:
                customer = customer or _Customer()
                _ON_CUSTOMER[name](customer, data)
        return customer


def _state(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.name, customer.first_name, customer.status = data["name"], data["firstName"], data["status"]
    customer.deleted, customer.survivor = bool(data["deleted"]), data["survivorId"]


def _address_state(customer: _Customer, data: Mapping[str, Any]) -> None:
    if data["validTo"] is not None:
        return
    kind = data["kind"]
    if data["check"] == "pending":
        customer.requested[kind] = _place(data["address"])
        customer.current[kind] = _place(data["previousAddress"])
    else:
        customer.current[kind] = _place(data["address"])


def _registered(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.name, customer.first_name, customer.status = data["name"], data["firstName"], data["status"]
    for address in data["addresses"]:
        customer.current[address["kind"]] = _place(address["address"])
    for consent in data["consents"]:
        customer.consents[consent["purpose"]] = consent["decision"]


def _named(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.name, customer.first_name = data["name"], data["firstName"]


def _moved(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.current[data["kind"]] = _place(data["address"])
    customer.requested.pop(data["kind"], None)


def _domiciled(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.current["legal"] = _place(data["address"])


def _requested(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.requested[data["kind"]] = _place(data["requested"])


def _rejected(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.requested.pop(data["kind"], None)


def _consented(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.consents[data["purpose"]] = data["decision"]


def _merged(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.status, customer.survivor = "merged", data["survivorId"]


def _unmerged(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.status, customer.survivor = "active", None


def _anonymised(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.status = "anonymised"
    customer.consents.clear()


def _deactivated(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.deleted = True


def _reactivated(customer: _Customer, data: Mapping[str, Any]) -> None:
    customer.deleted = False


_ON_CUSTOMER: Mapping[str, Callable[[_Customer, Mapping[str, Any]], None]] = {
    "CustomerState": _state,
    "CustomerAddressState": _address_state,
    "CustomerConsentState": _consented,
    "CustomerRegistered": _registered,
    "CustomerNameChanged": _named,
    "CustomerNameCorrected": _named,
    "CustomerAddressChanged": _moved,
    "CustomerAddressCorrected": _moved,
    "CustomerLegalDomicileChanged": _domiciled,
    "CustomerAddressChangeRequested": _requested,
    "CustomerAddressChangeRejected": _rejected,
    "CustomerConsentUpdated": _consented,
    "CustomerMerged": _merged,
    "CustomerUnmerged": _unmerged,
    "CustomerAnonymised": _anonymised,
    "CustomerDeactivated": _deactivated,
    "CustomerReactivated": _reactivated,
}


def _place(address: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: (address or {}).get(name) for name in PLACE}


def _enter(rows: Rows, number: int, customer: _Customer) -> None:
    gone = customer.status == "anonymised"
    rows["customer"][number,] = {
        "name": None if gone else customer.name,
        "firstName": None if gone else customer.first_name,
        "status": customer.status,
        "deleted": customer.deleted,
        "survivor": customer.survivor,
    }
    if not gone:
        rows["address"].update({(number, kind): place for kind, place in customer.current.items()})
        rows["requested address"].update({(number, kind): place for kind, place in customer.requested.items()})
    rows["consent"].update({(number, purpose): {"decision": said} for purpose, said in customer.consents.items()})


_Status = Callable[[Mapping[str, Any]], str]
_POLICY_STATUS: Mapping[str, _Status] = {
    "PolicyState": lambda data: data["status"],
    "PolicyIssued": lambda data: "active",
    "PolicyCancelled": lambda data: "cancelled",
}
_CLAIM_STATUS: Mapping[str, _Status] = {
    "ClaimState": lambda data: data["status"],
    "ClaimOpened": lambda data: "open",
    "ClaimStatusChanged": lambda data: data["status"],
}


def _statuses(
    streams: Mapping[int, list[PublishedEvent]], number: str, says: Mapping[str, _Status]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for aggregate, events in streams.items():
        for event in events:
            if event["event"] in says:
                row = found.setdefault((aggregate,), {"number": None, "status": None})
                row["number"] = event["data"].get(number, row["number"])
                row["status"] = says[event["event"]](event["data"])
    return found


def _roles(streams: Mapping[int, list[PublishedEvent]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    held: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for policy, events in streams.items():
        for event in events:
            name, data = event["event"], event["data"]
            if name in ("PolicyRoleState", "PolicyPartyAdded"):
                held[policy, data["role"]].append(data["customerId"])
            elif name == "PolicyIssued":
                for party in data["parties"]:
                    held[policy, party["role"]].append(party["customerId"])
            elif name == "PolicyEndorsed":
                held[policy, "insured"].extend(data["insuredAdded"])
            elif name == "PolicyHolderChanged":
                _replace(held[policy, "holder"], data["formerHolderId"], data["holderId"])
            elif name == "InvoiceRecipientChanged":
                _replace(held[policy, "payer"], data["formerRecipientId"], data["recipientId"])
            elif name == "PolicyPartyChanged":
                _replace(held[policy, data["role"]], data["formerCustomerId"], data["customerId"])
    return {key: {"customers": sorted(customers)} for key, customers in held.items() if customers}


def _replace(held: list[int], former: int, party: int) -> None:
    if former in held:
        held.remove(former)
    held.append(party)


def _balances(streams: Mapping[int, list[PublishedEvent]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for account, events in streams.items():
        for event in events:
            if "balance" in event["data"]:
                balance = Decimal(str(event["data"]["balance"])).quantize(Decimal("0.01"))
                found[account,] = {"balance": str(balance)}
    return found


def _claimants(streams: Mapping[int, list[PublishedEvent]]) -> dict[tuple[Any, ...], dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for claim, events in streams.items():
        for event in events:
            name, data = event["event"], event["data"]
            told = data["claimants"] if name == "ClaimOpened" else [data]
            if name in ("ClaimOpened", "ClaimantState", "ClaimantContactChanged"):
                for each in told:
                    found[claim, each["claimantId"]] = {"phone": each["phone"], "email": each["email"]}
    return found
