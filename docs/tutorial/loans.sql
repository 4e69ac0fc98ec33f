CREATE SCHEMA lib;

CREATE TABLE lib.loan (
  ln_no   integer PRIMARY KEY,
  mbr_no  integer NOT NULL,
  itm     char(12) NOT NULL,
  out_dt  integer NOT NULL,
  due_dt  integer NOT NULL,
  ret_dt  integer NOT NULL DEFAULT 0,
  sts     char(1) NOT NULL,
  ext_cnt smallint NOT NULL DEFAULT 0,
  shlf    char(6) NOT NULL DEFAULT '',
  upd_usr char(8) NOT NULL,
  upd_ts  timestamp NOT NULL
);

CREATE TABLE lib.loan_log (
  log_no integer PRIMARY KEY,
  ln_no  integer NOT NULL REFERENCES lib.loan,
  rsn    char(3) NOT NULL,
  txt    varchar(60) NOT NULL DEFAULT ''
);
