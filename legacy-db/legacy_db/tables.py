"""The schema as the applications see it: tables, their keys, and which columns are bookkeeping or derived."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["AGGREGATES", "NONE", "OPEN", "ROOTS", "SCHEMA_FILE", "TABLES", "Row", "RowKey", "Table", "pk_of"]

OPEN = 99991231
"""A date far away: valid until further notice."""
NONE = 0
"""No date, or no other customer."""

SCHEMA_FILE = Path(__file__).with_name("schema.sql")
AGGREGATES = ("Customer", "Policy", "BillingAccount", "Claim")
"""Aggregate types in the order in which every application locks them."""

Row = dict[str, Any]
RowKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A legacy table: its aggregate, the aggregate's id column, the primary key and the columns in schema order."""

    name: str
    aggregate: str
    owner: str
    pk: tuple[str, ...]
    columns: tuple[str, ...]
    derived: frozenset[str]

    @property
    def stamped(self) -> bool:
        """Whether rows carry the last writer's user and program."""
        return "upd_pgm" in self.columns

    @property
    def versioned(self) -> bool:
        """Whether rows carry a version counter."""
        return "ver_no" in self.columns


_STAMP = ("upd_usr", "upd_pgm")


def _table(
    name: str, aggregate: str, owner: str, pk: str, columns: str, derived: str = "", stamp: bool = True
) -> Table:
    names = tuple(columns.split()) + (_STAMP if stamp else ())
    return Table(name, aggregate, owner, tuple(pk.split()), names, frozenset(derived.split()))


_ALL = (
    _table(
        "crm.cust",
        "Customer",
        "cust_id",
        "cust_id",
        "cust_id cust_typ nm fst_nm mtch_cd brth_dt attrs sts surv_id del_flg del_dt scor note_txt crt_dt ver_no",
        derived="mtch_cd scor note_txt attrs",
    ),
    _table(
        "crm.cust_addr",
        "Customer",
        "cust_id",
        "addr_id",
        "addr_id cust_id addr_typ str zip city ctry lat lon geo_q chk old_plc val_frm val_to",
        derived="lat lon geo_q",
    ),
    _table("crm.cust_cons", "Customer", "cust_id", "cust_id cons_typ", "cust_id cons_typ cons_flg cons_dt chnl"),
    _table("crm.cust_pref", "Customer", "cust_id", "cust_id pref_typ", "cust_id pref_typ pref_val"),
    _table("crm.cntct_log", "Customer", "cust_id", "log_id", "log_id cust_id log_dt chnl rsn obj txt usr", stamp=False),
    _table("crm.src_ref", "Customer", "cust_id", "ref_id", "ref_id cust_id src_cd obj ext_ref eff_dt", stamp=False),
    _table(
        "crm.mrg_log", "Customer", "cust_id", "mrg_id", "mrg_id cust_id surv_id mrg_act mrg_dt mtch_pct", stamp=False
    ),
    _table(
        "pol.pol",
        "Policy",
        "pol_id",
        "pol_id",
        "pol_id pol_no prod_cd sts beg_dt end_dt cncl_dt cncl_rsn prem pay_frq brnch rsrv ver_no",
        derived="brnch rsrv",
    ),
    _table("pol.pol_role", "Policy", "pol_id", "role_id", "role_id pol_id cust_id role_cd beg_dt"),
    _table("pol.pol_cov", "Policy", "pol_id", "cov_id", "cov_id pol_id cov_cd sum_ins ded"),
    _table(
        "pol.endrs",
        "Policy",
        "pol_id",
        "endr_id",
        "endr_id pol_id endr_no endr_typ eff_dt prem_bef prem_aft txt",
        stamp=False,
    ),
    _table(
        "pol.role_hist",
        "Policy",
        "pol_id",
        "hist_id",
        "hist_id pol_id role_id role_cd old_cust new_cust rsn chg_dt",
        stamp=False,
    ),
    _table(
        "bil.acct",
        "BillingAccount",
        "acct_id",
        "acct_id",
        "acct_id pol_id bal lst_inv dun_lvl itm_cnt iban",
        derived="dun_lvl itm_cnt",
    ),
    _table("bil.inv", "BillingAccount", "acct_id", "inv_id", "inv_id acct_id inv_no amt due_dt sts", stamp=False),
    _table(
        "bil.pay",
        "BillingAccount",
        "acct_id",
        "pay_id",
        "pay_id acct_id pay_typ amt pay_dt meth rsn orig_pay",
        stamp=False,
    ),
    _table(
        "clm.claim",
        "Claim",
        "clm_id",
        "clm_id",
        "clm_id clm_no ref_typ ref_no sts loss_dt rpt_dt cause rsv_amt adj_cd note_txt",
        derived="rsv_amt adj_cd note_txt",
    ),
    _table("clm.clmnt", "Claim", "clm_id", "clmnt_id", "clmnt_id clm_id nm tel eml"),
    _table("clm.sts_log", "Claim", "clm_id", "log_id", "log_id clm_id old_sts new_sts rsn log_dt", stamp=False),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
ROOTS: dict[str, Table] = {
    "Customer": TABLES["crm.cust"],
    "Policy": TABLES["pol.pol"],
    "BillingAccount": TABLES["bil.acct"],
    "Claim": TABLES["clm.claim"],
}


def pk_of(table: Table, row: Row) -> RowKey:
    """A row's primary key, in the table's key order."""
    return tuple(row[column] for column in table.pk)
