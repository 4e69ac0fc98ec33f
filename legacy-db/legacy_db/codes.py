"""What the legacy codes mean in the business's words."""

from __future__ import annotations

__all__ = [
    "CAUSES",
    "CHANNELS",
    "CLAIM_STATUS",
    "COVERAGES",
    "DECISIONS",
    "ENDORSEMENTS",
    "FREQUENCIES",
    "KINDS",
    "METHODS",
    "PRODUCTS",
    "PURPOSES",
    "REASONS",
    "ROLES",
    "SHIPPING",
    "STATUS",
]

KINDS = {"RES": "residential", "BIL": "billing", "SHP": "shipping", "LEG": "legal"}
STATUS = {"A": "active", "P": "prospect", "M": "merged", "X": "anonymised"}
PURPOSES = {"EML": "email", "TEL": "telephone", "PST": "post", "PRF": "profiling"}
DECISIONS = {"Y": "given", "N": "refused", "": "unasked"}
SHIPPING = {"H": "home", "P": "pickup", "O": "office"}
CHANNELS = {"E": "email", "T": "telephone", "L": "letter", "N": "none"}
PRODUCTS = {"MOT": "motor", "HOM": "home", "LIA": "liability", "LIF": "life"}
FREQUENCIES = {"M": "monthly", "Q": "quarterly", "Y": "yearly"}
ROLES = {"HOL": "holder", "INS": "insured", "PAY": "payer", "CLM": "claimant"}
REASONS = {"R": "request", "N": "nonpayment", "S": "sold"}
ENDORSEMENTS = {"COV": "coverage", "DED": "deductible", "PRM": "premium", "INS": "insured"}
METHODS = {"B": "transfer", "C": "card", "D": "debit"}
CLAIM_STATUS = {"O": "open", "A": "assessed", "S": "settled", "R": "refused", "C": "closed"}
CAUSES = {"FI": "fire", "WA": "water", "TH": "theft", "CO": "collision", "OT": "other"}
COVERAGES = {"MOT": ("LIAB", "HULL"), "HOM": ("FIRE", "WATR", "THFT"), "LIA": ("LIAB",), "LIF": ("DEAT",)}
