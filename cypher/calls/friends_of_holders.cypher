// name: friends_of_holders
// title: People who call the holders of a product and do not hold it
// purpose: Whom a product will reach next: customers who are in contact with its holders, ranked by how many of them
//   they know and how much they talk. Customers who do not consent or have left are not listed.
// parameter product: text. The product.
// parameter at_least: integer = 1 (1 to 1000). In contact with at least so many holders.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers.
// parameter today: date = today. The day that "holds" is seen from.
// column user: user. The customer's pseudonym.
// column friends: integer. Holders whom the customer is in contact with.
// column contacts: integer. Calls and messages with them, in the periods that the graph keeps.
MATCH (product:Product {product: $product})<-[holds:SUBSCRIBES]-(adopter)
WHERE holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
WITH DISTINCT product, adopter
MATCH (adopter)-[ties:CALLS]-(user)
WITH product, user, count(DISTINCT adopter) AS friends,
     sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
         + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS contacts
WHERE friends >= $at_least
WITH product, user, user.user AS key, friends, contacts
ORDER BY friends DESC, contacts DESC, key // before what may be asked of the first ones only
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[held:SUBSCRIBES]->(product)
    WHERE held.until IS NULL OR held.until > $today
  }
RETURN key AS user, friends, contacts
ORDER BY friends DESC, contacts DESC, key
LIMIT $limit
