-- The insurer's core schema as it grew since 1991. Dates are integers (YYYYMMDD, 99991231 = open, 0 = none),
-- flags are Y/N/blank, codes are blank-padded chars. Every table carries its aggregate's id as int4 NOT NULL.
CREATE SCHEMA IF NOT EXISTS crm;
CREATE SCHEMA IF NOT EXISTS pol;
CREATE SCHEMA IF NOT EXISTS bil;
CREATE SCHEMA IF NOT EXISTS clm;

-- Customer -----------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS crm.cust (
  cust_id  int4          NOT NULL PRIMARY KEY,
  cust_typ char(1)       NOT NULL,               -- P person, O organisation
  nm       varchar(60)   NOT NULL,
  fst_nm   varchar(40)   NOT NULL DEFAULT '',
  mtch_cd  char(8)       NOT NULL DEFAULT '',    -- derived from the name
  brth_dt  int4          NOT NULL DEFAULT 0,
  attrs    char(8)       NOT NULL,               -- packed: 1-2 language, 3 segment, 4-7 branch
  sts      char(1)       NOT NULL,               -- A active, P prospect, M merged, X anonymised
  surv_id  int4          NOT NULL DEFAULT 0,
  del_flg  char(1)       NOT NULL DEFAULT '',
  del_dt   int4          NOT NULL DEFAULT 0,
  scor     numeric(7,2)  NOT NULL DEFAULT 0,
  note_txt text          NOT NULL DEFAULT '',
  crt_dt   int4          NOT NULL,
  ver_no   int4          NOT NULL DEFAULT 1,
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS crm.cust_addr (
  addr_id  int4          NOT NULL PRIMARY KEY,
  cust_id  int4          NOT NULL,
  addr_typ char(3)       NOT NULL,               -- RES, BIL, SHP, LEG
  str      char(40)      NOT NULL,
  zip      char(10)      NOT NULL,
  city     char(30)      NOT NULL,
  ctry     char(2)       NOT NULL,
  lat      numeric(9,6),
  lon      numeric(9,6),
  geo_q    char(1)       NOT NULL DEFAULT '',
  chk      char(1)       NOT NULL DEFAULT '',    -- P pending, V verified, R rejected, blank
  old_plc  char(82)      NOT NULL DEFAULT '',    -- packed: 1-40 str, 41-50 zip, 51-80 city, 81-82 ctry
  val_frm  int4          NOT NULL,
  val_to   int4          NOT NULL DEFAULT 99991231,
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS cust_addr_cust ON crm.cust_addr (cust_id);
CREATE TABLE IF NOT EXISTS crm.cust_cons (
  cust_id  int4          NOT NULL,
  cons_typ char(3)       NOT NULL,               -- EML, TEL, PST, PRF
  cons_flg char(1)       NOT NULL DEFAULT '',    -- Y given, N refused, blank unasked
  cons_dt  int4          NOT NULL DEFAULT 0,
  chnl     char(1)       NOT NULL DEFAULT '',
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now(),
  PRIMARY KEY (cust_id, cons_typ)
);
CREATE TABLE IF NOT EXISTS crm.cust_pref (
  cust_id  int4          NOT NULL,
  pref_typ char(4)       NOT NULL,               -- SHIP, CHNL
  pref_val char(2)       NOT NULL,               -- overloaded: meaning depends on pref_typ
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now(),
  PRIMARY KEY (cust_id, pref_typ)
);
CREATE TABLE IF NOT EXISTS crm.cntct_log (
  log_id   int4          NOT NULL PRIMARY KEY,
  cust_id  int4          NOT NULL,
  log_dt   int4          NOT NULL,
  chnl     char(1)       NOT NULL,               -- T telephone, W web, L letter
  rsn      char(3)       NOT NULL,
  obj      char(3)       NOT NULL DEFAULT '',    -- RES, BIL, SHP, LEG, NAM, blank
  txt      varchar(200)  NOT NULL DEFAULT '',
  usr      char(8)       NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS cntct_log_cust ON crm.cntct_log (cust_id);
CREATE TABLE IF NOT EXISTS crm.src_ref (
  ref_id   int4          NOT NULL PRIMARY KEY,
  cust_id  int4          NOT NULL,
  src_cd   char(4)       NOT NULL,               -- FWDX, PDIR, CIVR, NCHK
  obj      char(3)       NOT NULL,               -- RES, BIL, SHP, LEG, NAM
  ext_ref  char(20)      NOT NULL DEFAULT '',
  eff_dt   int4          NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS src_ref_cust ON crm.src_ref (cust_id);
CREATE TABLE IF NOT EXISTS crm.mrg_log (
  mrg_id   int4          NOT NULL PRIMARY KEY,
  cust_id  int4          NOT NULL,               -- the loser
  surv_id  int4          NOT NULL,
  mrg_act  char(1)       NOT NULL,               -- M merged, U unmerged
  mrg_dt   int4          NOT NULL,
  mtch_pct numeric(5,2)  NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS mrg_log_cust ON crm.mrg_log (cust_id);

-- Policy -------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS pol.pol (
  pol_id   int4          NOT NULL PRIMARY KEY,
  pol_no   char(12)      NOT NULL,
  prod_cd  char(3)       NOT NULL,               -- MOT, HOM, LIA, LIF
  sts      char(1)       NOT NULL,               -- A active, C cancelled
  beg_dt   int4          NOT NULL,
  end_dt   int4          NOT NULL DEFAULT 99991231,
  cncl_dt  int4          NOT NULL DEFAULT 0,
  cncl_rsn char(1)       NOT NULL DEFAULT '',    -- R request, N non-payment, S sold, blank
  prem     numeric(11,2) NOT NULL,
  pay_frq  char(1)       NOT NULL,               -- M, Q, Y
  brnch    char(4)       NOT NULL,
  rsrv     numeric(13,2) NOT NULL DEFAULT 0,
  ver_no   int4          NOT NULL DEFAULT 1,
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS pol.pol_role (
  role_id  int4          NOT NULL PRIMARY KEY,
  pol_id   int4          NOT NULL,
  cust_id  int4          NOT NULL,               -- the party
  role_cd  char(3)       NOT NULL,               -- HOL holder, INS insured, PAY payer, CLM claimant
  beg_dt   int4          NOT NULL,
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS pol_role_pol ON pol.pol_role (pol_id);
CREATE TABLE IF NOT EXISTS pol.pol_cov (
  cov_id   int4          NOT NULL PRIMARY KEY,
  pol_id   int4          NOT NULL,
  cov_cd   char(4)       NOT NULL,
  sum_ins  numeric(13,2) NOT NULL,
  ded      numeric(9,2)  NOT NULL DEFAULT 0,
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS pol_cov_pol ON pol.pol_cov (pol_id);
CREATE TABLE IF NOT EXISTS pol.endrs (
  endr_id  int4          NOT NULL PRIMARY KEY,
  pol_id   int4          NOT NULL,
  endr_no  int4          NOT NULL,
  endr_typ char(3)       NOT NULL,               -- COV, DED, PRM, INS
  eff_dt   int4          NOT NULL,
  prem_bef numeric(11,2) NOT NULL,
  prem_aft numeric(11,2) NOT NULL,
  txt      varchar(200)  NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS pol.role_hist (
  hist_id  int4          NOT NULL PRIMARY KEY,
  pol_id   int4          NOT NULL,
  role_id  int4          NOT NULL,
  role_cd  char(3)       NOT NULL,
  old_cust int4          NOT NULL,
  new_cust int4          NOT NULL,
  rsn      char(3)       NOT NULL,               -- SAL, INH, REQ, MRG, UNM
  chg_dt   int4          NOT NULL
);

-- BillingAccount -----------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS bil.acct (
  acct_id  int4          NOT NULL PRIMARY KEY,
  pol_id   int4          NOT NULL,
  bal      numeric(13,2) NOT NULL DEFAULT 0,     -- owed by the customer
  lst_inv  int4          NOT NULL DEFAULT 0,     -- date of the last invoice
  dun_lvl  int2          NOT NULL DEFAULT 0,
  itm_cnt  int4          NOT NULL DEFAULT 0,     -- derived
  iban     char(34)      NOT NULL DEFAULT '',
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS bil.inv (
  inv_id   int4          NOT NULL PRIMARY KEY,
  acct_id  int4          NOT NULL,
  inv_no   char(12)      NOT NULL,
  amt      numeric(11,2) NOT NULL,
  due_dt   int4          NOT NULL,
  sts      char(1)       NOT NULL DEFAULT 'O'    -- O open, P paid
);
CREATE INDEX IF NOT EXISTS inv_acct ON bil.inv (acct_id);
CREATE TABLE IF NOT EXISTS bil.pay (
  pay_id   int4          NOT NULL PRIMARY KEY,
  acct_id  int4          NOT NULL,
  pay_typ  char(1)       NOT NULL,               -- P payment, R reversal
  amt      numeric(11,2) NOT NULL,
  pay_dt   int4          NOT NULL,
  meth     char(1)       NOT NULL,               -- B bank transfer, C card, D direct debit
  rsn      char(2)       NOT NULL DEFAULT '',    -- of a reversal: RT returned by the bank, MB booked by mistake
  orig_pay int4          NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS pay_acct ON bil.pay (acct_id);

-- Claim --------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS clm.claim (
  clm_id   int4          NOT NULL PRIMARY KEY,
  clm_no   char(12)      NOT NULL,
  ref_typ  char(1)       NOT NULL,               -- what ref_no holds: P a policy id, C a customer id
  ref_no   char(12)      NOT NULL,               -- overloaded
  sts      char(1)       NOT NULL,               -- O open, A assessed, S settled, R refused, C closed
  loss_dt  int4          NOT NULL,
  rpt_dt   int4          NOT NULL,
  cause    char(2)       NOT NULL,               -- FI fire, WA water, TH theft, CO collision, OT other
  rsv_amt  numeric(13,2) NOT NULL DEFAULT 0,
  adj_cd   char(6)       NOT NULL DEFAULT '',
  note_txt text          NOT NULL DEFAULT '',
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS clm.clmnt (
  clmnt_id int4          NOT NULL PRIMARY KEY,
  clm_id   int4          NOT NULL,
  nm       char(60)      NOT NULL,
  tel      char(20)      NOT NULL DEFAULT '',
  eml      varchar(60)   NOT NULL DEFAULT '',
  upd_usr  char(8)       NOT NULL DEFAULT '',
  upd_pgm  char(10)      NOT NULL DEFAULT '',
  upd_ts   timestamp(0)  NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS clmnt_clm ON clm.clmnt (clm_id);
CREATE TABLE IF NOT EXISTS clm.sts_log (
  log_id   int4          NOT NULL PRIMARY KEY,
  clm_id   int4          NOT NULL,
  old_sts  char(1)       NOT NULL,
  new_sts  char(1)       NOT NULL,
  rsn      char(3)       NOT NULL DEFAULT '',    -- PRG progress, ERR mistake mended, blank not said
  log_dt   int4          NOT NULL
);

ALTER TABLE crm.cust      REPLICA IDENTITY FULL;
ALTER TABLE crm.cust_addr REPLICA IDENTITY FULL;
ALTER TABLE crm.cust_cons REPLICA IDENTITY FULL;
ALTER TABLE crm.cust_pref REPLICA IDENTITY FULL;
ALTER TABLE crm.cntct_log REPLICA IDENTITY FULL;
ALTER TABLE crm.src_ref   REPLICA IDENTITY FULL;
ALTER TABLE crm.mrg_log   REPLICA IDENTITY FULL;
ALTER TABLE pol.pol       REPLICA IDENTITY FULL;
ALTER TABLE pol.pol_role  REPLICA IDENTITY FULL;
ALTER TABLE pol.pol_cov   REPLICA IDENTITY FULL;
ALTER TABLE pol.endrs     REPLICA IDENTITY FULL;
ALTER TABLE pol.role_hist REPLICA IDENTITY FULL;
ALTER TABLE bil.acct      REPLICA IDENTITY FULL;
ALTER TABLE bil.inv       REPLICA IDENTITY FULL;
ALTER TABLE bil.pay       REPLICA IDENTITY FULL;
ALTER TABLE clm.claim     REPLICA IDENTITY FULL;
ALTER TABLE clm.clmnt     REPLICA IDENTITY FULL;
ALTER TABLE clm.sts_log   REPLICA IDENTITY FULL;
