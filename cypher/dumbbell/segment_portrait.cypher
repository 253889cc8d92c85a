// name: segment_portrait
// title: Portrait of a segment
// purpose: Who the customers of a segment are: the commonest cities, genders, brands of handset, products and apps.
//   Customers who do not consent or have left are not counted.
// parameter segment: text. The segment.
// parameter top: integer = 5 (1 to 1000). So many of each kind.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column kind: text. city, gender, brand, product or app.
// column value: text. Which one.
// column customers: integer. Customers of the segment who have it.
// column share: number. Their share of the segment.
MATCH (:Segment {segment: $segment})<-[:IN_SEGMENT]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH collect(user) AS members
CALL (members) {
  UNWIND members AS user
  UNWIND [['city', user.city], ['gender', user.gender]] AS fact
  RETURN fact[0] AS kind, fact[1] AS value, user
  UNION ALL
  UNWIND members AS user
  MATCH (user)-[uses:USES_HANDSET]->(handset:Handset)
  WHERE uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
  RETURN 'brand' AS kind, handset.brand AS value, user
  UNION ALL
  UNWIND members AS user
  MATCH (user)-[holds:SUBSCRIBES]->(product:Product)
  WHERE holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
  RETURN 'product' AS kind, product.product AS value, user
  UNION ALL
  UNWIND members AS user
  MATCH (user)-[:USES_APP]->(app:App)
  RETURN 'app' AS kind, app.app AS value, user
}
WITH members, kind, value, count(DISTINCT user) AS customers WHERE value IS NOT NULL
ORDER BY customers DESC, value
WITH members, kind, collect({value: value, customers: customers})[..$top] AS commonest
UNWIND commonest AS one
RETURN kind, one.value AS value, one.customers AS customers, 1.0 * one.customers / size(members) AS share
ORDER BY kind, customers DESC, value
