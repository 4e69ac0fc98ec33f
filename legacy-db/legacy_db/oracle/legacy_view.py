"""The legacy tables as a plain SQL reader sees them: written without a look at any rule or event."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg

__all__ = ["QUERIES", "Rows", "legacy_rows"]

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Relation → key → columns. The first part of every key is the aggregate's id."""

KIND = """CASE addr_typ WHEN 'RES' THEN 'residential' WHEN 'BIL' THEN 'billing' WHEN 'SHP' THEN 'shipping'
               ELSE 'legal' END"""

QUERIES: dict[str, tuple[int, str]] = {
    # relation: (number of key columns, query)
    "customer": (
        1,
        """
        SELECT cust_id,
               CASE WHEN sts = 'X' THEN NULL ELSE rtrim(nm) END AS name,
               CASE WHEN sts = 'X' THEN NULL ELSE nullif(rtrim(fst_nm), '') END AS "firstName",
               CASE sts WHEN 'A' THEN 'active' WHEN 'P' THEN 'prospect' WHEN 'M' THEN 'merged'
                    WHEN 'X' THEN 'anonymised' END AS status,
               del_flg = 'Y' AS deleted,
               nullif(surv_id, 0) AS survivor
          FROM crm.cust
        """,
    ),
    "address": (
        2,
        f"""
        SELECT a.cust_id, {KIND} AS kind,
               rtrim(CASE WHEN chk = 'P' THEN substr(rpad(old_plc::text, 82), 1, 40) ELSE str END) AS street,
               rtrim(CASE WHEN chk = 'P' THEN substr(rpad(old_plc::text, 82), 41, 10) ELSE zip END) AS postcode,
               rtrim(CASE WHEN chk = 'P' THEN substr(rpad(old_plc::text, 82), 51, 30) ELSE city END) AS city,
               rtrim(CASE WHEN chk = 'P' THEN substr(rpad(old_plc::text, 82), 81, 2) ELSE ctry END) AS country
          FROM crm.cust_addr a JOIN crm.cust c USING (cust_id)
         WHERE val_to = 99991231 AND c.sts <> 'X'
        """,
    ),
    "requested address": (
        2,
        f"""
        SELECT a.cust_id, {KIND} AS kind, rtrim(str) AS street, rtrim(zip) AS postcode, rtrim(city) AS city,
               rtrim(ctry) AS country
          FROM crm.cust_addr a JOIN crm.cust c USING (cust_id)
         WHERE val_to = 99991231 AND chk = 'P' AND c.sts <> 'X'
        """,
    ),
    "consent": (
        2,
        """
        SELECT cust_id,
               CASE cons_typ WHEN 'EML' THEN 'email' WHEN 'TEL' THEN 'telephone' WHEN 'PST' THEN 'post'
                    ELSE 'profiling' END AS purpose,
               CASE cons_flg WHEN 'Y' THEN 'given' WHEN 'N' THEN 'refused' WHEN '' THEN 'unasked' END AS decision
          FROM crm.cust_cons
        """,
    ),
    "policy": (
        1,
        """
        SELECT pol_id, rtrim(pol_no) AS number, CASE sts WHEN 'A' THEN 'active' WHEN 'C' THEN 'cancelled' END AS status
          FROM pol.pol
        """,
    ),
    "role": (
        2,
        """
        SELECT pol_id,
               CASE role_cd WHEN 'HOL' THEN 'holder' WHEN 'INS' THEN 'insured' WHEN 'PAY' THEN 'payer'
                    ELSE 'claimant' END AS role,
               array_agg(cust_id ORDER BY cust_id) AS customers
          FROM pol.pol_role GROUP BY 1, 2
        """,
    ),
    "balance": (1, "SELECT acct_id, bal AS balance FROM bil.acct"),
    "claim": (
        1,
        """
        SELECT clm_id, rtrim(clm_no) AS number,
               CASE sts WHEN 'O' THEN 'open' WHEN 'A' THEN 'assessed' WHEN 'S' THEN 'settled' WHEN 'R' THEN 'refused'
                    WHEN 'C' THEN 'closed' END AS status
          FROM clm.claim
        """,
    ),
    "claimant": (
        2,
        """
        SELECT clm_id, clmnt_id, nullif(rtrim(tel), '') AS phone, nullif(rtrim(eml), '') AS email FROM clm.clmnt
        """,
    ),
}


def legacy_rows(dsn: str) -> Rows:
    """Every relation that reconcile compares, as the tables have it now. Raises psycopg.Error."""
    found: Rows = {}
    with psycopg.connect(dsn) as connection:
        # one snapshot for all relations, or they would not fit together while applications work
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for relation, (width, query) in QUERIES.items():
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            found[relation] = {
                tuple(row[:width]): {
                    name: str(value) if isinstance(value, Decimal) else value
                    for name, value in zip(names[width:], row[width:], strict=True)
                }
                for row in cursor
            }
    return found
