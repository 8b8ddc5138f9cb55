-- Look-ups by index, scans with LIKE, sorts and text functions.
CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT, length INTEGER, hash INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO word SELECT i, printf('%x%o', i * 7919, i * 31), 0, i * 2654435761 % 65536 FROM n;
CREATE INDEX word_hash ON word(hash);
CREATE INDEX word_text ON word(text);
UPDATE word SET length = length(text);
SELECT count(*) FROM word WHERE text LIKE '%77%';
SELECT count(*), min(id), max(id) FROM word WHERE text BETWEEN '3' AND '5';
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120000)
SELECT count(*), sum(word.id) FROM n JOIN word ON word.hash = n.i * 40503 % 65536;
SELECT substr(text, 1, 2) AS start, count(*), max(replace(text, '0', '-')) FROM word GROUP BY start ORDER BY 2 DESC, 1 LIMIT 5;
SELECT text FROM word ORDER BY substr(text, 3) DESC, id LIMIT 5;
SELECT sum(instr(text, 'f') * length), count(DISTINCT lower(substr(text, -3))) FROM word;
