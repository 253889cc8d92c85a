// name: lapsed_holders
// title: Customers who gave a product up
// purpose: Winning back: customers who held the product until lately and do not hold it any more, the latest first.
//   Customers who do not consent or have left are not listed.
// parameter product: text. The product.
// parameter days: integer = 180 (1 to 3650). Given up within so many days before today.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column ended_on: date. The day it ended, the last time.
// column times: integer. How often the customer held it and gave it up in these days.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (product:Product {product: $product})<-[held:SUBSCRIBES]-(user:User)
WHERE held.until <= $today AND held.until > $today - duration({days: $days})
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[holds:SUBSCRIBES]->(product)
    WHERE holds.until IS NULL OR holds.until > $today
  }
RETURN user.user AS user, max(held.until) AS ended_on, count(held) AS times, user.arpu AS arpu,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY ended_on DESC, user
LIMIT $limit
