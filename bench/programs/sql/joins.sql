-- Joins, groups, windows and sub-queries.
CREATE TABLE customer(id INTEGER PRIMARY KEY, city TEXT);
CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INTEGER, product INTEGER, amount INTEGER);
CREATE TABLE product(id INTEGER PRIMARY KEY, name TEXT, price INTEGER);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO customer SELECT i, 'city ' || (i * 37 % 50) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO product SELECT i, 'product ' || i, i * 17 % 97 + 1 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
INSERT INTO purchase SELECT i, i * 7919 % 2000 + 1, i * 104729 % 500 + 1, i % 9 + 1 FROM n;
SELECT city, count(*), sum(amount * price) AS spent FROM purchase
JOIN customer ON customer.id = customer JOIN product ON product.id = product
GROUP BY city ORDER BY spent DESC LIMIT 5;
SELECT count(*), sum(rank) FROM (
  SELECT rank() OVER (PARTITION BY customer ORDER BY amount DESC, id) AS rank FROM purchase) WHERE rank <= 3;
SELECT count(*) FROM customer WHERE id IN (
  SELECT customer FROM purchase GROUP BY customer HAVING sum(amount) > (SELECT avg(total) FROM (
    SELECT sum(amount) AS total FROM purchase GROUP BY customer)));
SELECT a.customer, count(*) FROM purchase a JOIN purchase b ON a.product = b.product AND a.id < b.id
WHERE a.amount = 9 AND b.amount = 1 GROUP BY a.customer ORDER BY 2 DESC, 1 LIMIT 5;
