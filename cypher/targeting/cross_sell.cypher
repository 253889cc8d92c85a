// name: cross_sell
// title: Holders of one product who lack another
// purpose: Cross-selling: customers who hold the first product and do not hold the second. Customers who do not consent
//   or have left are not listed.
// parameter holds: text. The product that they hold.
// parameter lacks: text. The product that they lack; one that is not in the graph lists nobody.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the highest revenue first.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column since: date. Holds the first product since.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (lacked:Product {product: $lacks})
MATCH (:Product {product: $holds})<-[has:SUBSCRIBES]-(user:User)
WHERE has.since <= $today AND (has.until IS NULL OR has.until > $today)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[held:SUBSCRIBES]->(lacked)
    WHERE held.until IS NULL OR held.until > $today
  }
RETURN user.user AS user, min(has.since) AS since, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY coalesce(arpu, 0.0) DESC, user
LIMIT $limit
