// name: product_holders
// title: Products by their holders
// purpose: How products do: who holds them today, and who came and went of late. Customers who do not consent or have
//   left are not counted.
// parameter days: integer = 30 (1 to 3650). What counts as "of late".
// parameter today: date = today. The day that "holds" and "left" are seen from.
// column product: text. The product.
// column name: text. Its name.
// column kind: text. Its kind.
// column holders: integer. Customers who hold it.
// column started: integer. Customers who began to hold it within these days.
// column ended: integer. Customers who held it and gave it up within these days.
MATCH (product:Product)<-[holds:SUBSCRIBES]-(user:User)
WHERE holds.since <= $today
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH product, user, max(holds.until IS NULL OR holds.until > $today) AS has,
     max(holds.since > $today - duration({days: $days})) AS began, max(holds.until) AS until
RETURN product.product AS product, product.name AS name, product.kind AS kind,
       sum(CASE WHEN has THEN 1 ELSE 0 END) AS holders,
       sum(CASE WHEN has AND began THEN 1 ELSE 0 END) AS started,
       sum(CASE WHEN NOT has AND until > $today - duration({days: $days}) THEN 1 ELSE 0 END) AS ended
ORDER BY holders DESC, product
