BEGIN;
INSERT INTO lib.loan VALUES (1, 501, 'BK-004711-01', 20261103, 20261201, 0, 'O', 0, 'A1', 'DESK1', '2026-11-03 09:07:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (2, 502, 'BK-004711-02', 20261103, 20261201, 0, 'O', 0, 'A2', 'DESK1', '2026-11-03 09:14:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (3, 503, 'BK-000815-01', 20261103, 20261201, 0, 'O', 0, 'A3', 'DESK1', '2026-11-03 09:21:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (4, 504, 'DV-000099-01', 20261103, 20261110, 0, 'O', 0, 'A4', 'DESK1', '2026-11-03 09:28:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (5, 500, 'BK-001234-03', 20261103, 20261201, 0, 'O', 0, 'A5', 'DESK1', '2026-11-03 09:35:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (6, 501, 'MG-000007-01', 20261103, 20261201, 0, 'O', 0, 'A6', 'DESK1', '2026-11-03 09:42:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (7, 502, 'BK-000042-01', 20261103, 20261201, 0, 'O', 0, 'A0', 'DESK1', '2026-11-03 09:49:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (8, 503, 'DV-000100-01', 20261103, 20261110, 0, 'O', 0, 'A1', 'DESK1', '2026-11-03 09:56:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (9, 504, 'BK-009999-02', 20261103, 20261201, 0, 'O', 0, 'A2', 'DESK1', '2026-11-03 10:03:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (10, 500, 'BK-000815-02', 20261103, 20261201, 0, 'O', 0, 'A3', 'DESK1', '2026-11-03 10:10:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (11, 501, 'MG-000008-01', 20261103, 20261201, 0, 'O', 0, 'A4', 'DESK1', '2026-11-03 10:17:00');
COMMIT;

BEGIN;
INSERT INTO lib.loan VALUES (12, 502, 'BK-001111-01', 20261103, 20261201, 0, 'O', 0, 'A5', 'DESK1', '2026-11-03 10:24:00');
COMMIT;

-- renewed at the desk and on the web: the counter goes up
BEGIN;
UPDATE lib.loan SET due_dt = 20261229, ext_cnt = ext_cnt + 1, upd_usr = 'DESK1', upd_ts = '2026-11-03 10:31:00' WHERE ln_no = 1;
COMMIT;

BEGIN;
UPDATE lib.loan SET due_dt = 20261229, ext_cnt = ext_cnt + 1, upd_usr = 'WEB', upd_ts = '2026-11-03 10:38:00' WHERE ln_no = 2;
COMMIT;

BEGIN;
UPDATE lib.loan SET due_dt = 20261229, ext_cnt = ext_cnt + 1, upd_usr = 'WEB', upd_ts = '2026-11-03 10:45:00' WHERE ln_no = 5;
COMMIT;

BEGIN;
UPDATE lib.loan SET due_dt = 20261229, ext_cnt = ext_cnt + 1, upd_usr = 'DESK2', upd_ts = '2026-11-03 10:52:00' WHERE ln_no = 7;
COMMIT;

-- the due date had been typed wrong: the desk writes a note
BEGIN;
UPDATE lib.loan SET due_dt = 20261117, upd_usr = 'DESK1', upd_ts = '2026-11-03 10:59:00' WHERE ln_no = 4;
INSERT INTO lib.loan_log VALUES (1, 4, 'TYP', 'dvd, two weeks');
COMMIT;

BEGIN;
UPDATE lib.loan SET due_dt = 20261117, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:06:00' WHERE ln_no = 8;
INSERT INTO lib.loan_log VALUES (2, 8, 'TYP', 'dvd, two weeks');
COMMIT;

-- a due date changed with nothing beside it
BEGIN;
UPDATE lib.loan SET due_dt = 20261215, upd_usr = 'DESK2', upd_ts = '2026-11-03 11:13:00' WHERE ln_no = 9;
COMMIT;

BEGIN;
UPDATE lib.loan SET due_dt = 20261208, upd_usr = 'DESK2', upd_ts = '2026-11-03 11:20:00' WHERE ln_no = 10;
COMMIT;

-- returned; one of them with a question noted
BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261120, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:27:00' WHERE ln_no = 1;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261120, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:34:00' WHERE ln_no = 3;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261120, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:41:00' WHERE ln_no = 6;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261120, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:48:00' WHERE ln_no = 12;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261121, upd_usr = 'DESK1', upd_ts = '2026-11-03 11:55:00' WHERE ln_no = 2;
INSERT INTO lib.loan_log VALUES (3, 2, 'ASK', 'is there a third part?');
COMMIT;

-- reported lost, and one of the two found again
BEGIN;
UPDATE lib.loan SET sts = 'L', upd_usr = 'DESK1', upd_ts = '2026-11-03 12:02:00' WHERE ln_no = 11;
INSERT INTO lib.loan_log VALUES (4, 11, 'LST', '');
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'L', upd_usr = 'DESK1', upd_ts = '2026-11-03 12:09:00' WHERE ln_no = 5;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261122, upd_usr = 'DESK1', upd_ts = '2026-11-03 12:16:00' WHERE ln_no = 11;
COMMIT;

-- the nightly job sorts the shelves anew
BEGIN;
UPDATE lib.loan SET shlf = 'B' || (ln_no % 5), upd_usr = 'NIGHT', upd_ts = '2026-11-23 02:00:00' WHERE ln_no <= 8;
COMMIT;

-- saved without a change; changed and changed back
BEGIN;
UPDATE lib.loan SET sts = 'O', upd_usr = 'DESK1', upd_ts = '2026-11-03 12:23:00' WHERE ln_no = 7;
COMMIT;

BEGIN;
UPDATE lib.loan SET sts = 'R', ret_dt = 20261123, upd_usr = 'DESK2', upd_ts = '2026-11-03 12:30:00' WHERE ln_no = 9;
UPDATE lib.loan SET sts = 'O', ret_dt = 0, upd_usr = 'DESK2', upd_ts = '2026-11-03 12:37:00' WHERE ln_no = 9;
COMMIT;

-- a code that nobody has explained yet
BEGIN;
UPDATE lib.loan SET sts = 'V', upd_usr = 'DESK2', upd_ts = '2026-11-03 12:44:00' WHERE ln_no = 8;
COMMIT;

