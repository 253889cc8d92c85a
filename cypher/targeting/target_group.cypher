// name: target_group
// title: Customers of a city, with a handset brand, who lack a product
// purpose: Whom to offer a product to: customers of one city whose current handset is of one brand and who do not hold
//   the product. Customers who do not consent or have left are not listed.
// parameter city: text. The city, as the users feed writes it.
// parameter brand: text. The brand of the current handset, as the handsets feed writes it.
// parameter product: text. The product that the customer lacks; one that is not in the graph lists nobody.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the highest revenue first.
// parameter today: date = today. The day that "current" is seen from.
// column user: user. The customer's pseudonym.
// column handset: text. The current handset.
// column model: text. Its model.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (product:Product {product: $product})
MATCH (handset:Handset {brand: $brand})<-[uses:USES_HANDSET]-(user:User)
WHERE user.city = $city
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
  AND NOT EXISTS {
    MATCH (user)-[later:USES_HANDSET]->(:Handset)
    WHERE later.since > uses.since AND later.since <= $today AND (later.until IS NULL OR later.until > $today)
  }
  AND NOT EXISTS {
    MATCH (user)-[holds:SUBSCRIBES]->(product)
    WHERE holds.until IS NULL OR holds.until > $today
  }
RETURN DISTINCT user.user AS user, handset.handset AS handset, handset.model AS model, user.arpu AS arpu,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY coalesce(arpu, 0.0) DESC, user
LIMIT $limit
