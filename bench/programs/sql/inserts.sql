-- Rows inserted, changed and deleted in transactions, with two indexes and a trigger.
CREATE TABLE item(id INTEGER PRIMARY KEY, kind INTEGER, name TEXT UNIQUE, price REAL);
CREATE INDEX item_kind ON item(kind, price);
CREATE TABLE log(item INTEGER, was REAL);
CREATE TRIGGER priced AFTER UPDATE OF price ON item BEGIN INSERT INTO log VALUES (old.id, old.price); END;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO item SELECT i, i * 7919 % 101, printf('item %06x', i * 7919 % 1048573), i * 31 % 9973 / 8.0 FROM n;
COMMIT;
BEGIN;
UPDATE item SET price = price * 1.5 WHERE kind < 30;
DELETE FROM item WHERE id % 7 = 3;
UPDATE item SET name = upper(name) || '!' WHERE id % 5 = 0;
INSERT INTO item SELECT id + 100000, kind, name || ' again', price FROM item WHERE kind > 60;
COMMIT;
SELECT count(*), sum(kind), round(sum(price), 3), min(name), max(name) FROM item;
SELECT count(*), round(sum(was), 3) FROM log;
