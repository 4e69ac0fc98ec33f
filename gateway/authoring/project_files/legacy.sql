-- The legacy tables of the example, for trying it out. Replace this file by the DDL of your own tables:
-- `gateway check` compares the mappings with it.
CREATE SCHEMA IF NOT EXISTS crm;

CREATE TABLE crm.person (
    prs_id  integer PRIMARY KEY,
    nm      varchar(80),
    str     varchar(80),
    zip     varchar(10),
    city    varchar(60),
    sts     char(1) NOT NULL DEFAULT 'A',
    upd_pgm char(10),
    upd_ts  timestamp
);

ALTER TABLE crm.person REPLICA IDENTITY FULL;
