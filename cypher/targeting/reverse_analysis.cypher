// name: reverse_analysis
// title: What distinguishes a list of customers
// purpose: Given customers (buyers, complainers, a list from a shop), the handsets, brands, apps, products, segments
//   and cities that they have more often than all customers, by lift: their share divided by the share of all.
//   Customers who do not consent or have left are counted on neither side.
// parameter users: list of users. The customers of the list; others are passed over.
// parameter minimum: integer = 2 (1 to 1000000). Only what at least so many customers of the list have.
// parameter limit: integer = 50 (1 to 10000). At most so many rows, the highest lift first.
// parameter today: date = today. The day that "current" is seen from.
// column kind: text. handset, brand, app, product, segment or city.
// column value: text. Which one.
// column listed: integer. Customers of the list who have it.
// column listed_share: number. Their share of the list.
// column all_share: number. The share of all customers who have it.
// column lift: number. listed_share divided by all_share; 1 is as usual.
MATCH (user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH count(user) AS everybody
MATCH (user:User)
WHERE user.user IN $users
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH everybody, collect(user) AS listed
CALL (listed) {
  UNWIND listed AS user
  MATCH (user)-[has:USES_APP|USES_HANDSET|SUBSCRIBES|IN_SEGMENT]->(thing)
  WHERE (has.since IS NULL OR has.since <= $today) AND (has.until IS NULL OR has.until > $today)
  WITH thing, count(DISTINCT user) AS n WHERE n >= $minimum
  MATCH (thing)<-[has:USES_APP|USES_HANDSET|SUBSCRIBES|IN_SEGMENT]-(other:User)
  WHERE (has.since IS NULL OR has.since <= $today) AND (has.until IS NULL OR has.until > $today)
    AND other.consent AND NOT other.off_net AND NOT coalesce(other.kind, 'person') IN ['service', 'machine']
    AND NOT coalesce(other.left, false) AND coalesce(other.status, '') <> 'left' AND (other.left_on IS NULL OR other.left_on >= $today)
  RETURN toLower(labels(thing)[0]) AS kind, coalesce(thing.app, thing.handset, thing.product, thing.segment) AS value,
         n, count(DISTINCT other) AS total
  UNION ALL
  UNWIND listed AS user
  MATCH (user)-[uses:USES_HANDSET]->(thing:Handset)
  WHERE thing.brand IS NOT NULL AND uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
  WITH thing.brand AS brand, count(DISTINCT user) AS n WHERE n >= $minimum
  MATCH (:Handset {brand: brand})<-[uses:USES_HANDSET]-(other:User)
  WHERE uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
    AND other.consent AND NOT other.off_net AND NOT coalesce(other.kind, 'person') IN ['service', 'machine']
    AND NOT coalesce(other.left, false) AND coalesce(other.status, '') <> 'left' AND (other.left_on IS NULL OR other.left_on >= $today)
  RETURN 'brand' AS kind, brand AS value, n, count(DISTINCT other) AS total
  UNION ALL
  UNWIND listed AS user
  WITH user.city AS city, count(user) AS n WHERE city IS NOT NULL AND n >= $minimum
  MATCH (other:User {city: city})
  WHERE other.consent AND NOT other.off_net AND NOT coalesce(other.kind, 'person') IN ['service', 'machine']
    AND NOT coalesce(other.left, false) AND coalesce(other.status, '') <> 'left' AND (other.left_on IS NULL OR other.left_on >= $today)
  RETURN 'city' AS kind, city AS value, n, count(other) AS total
}
WITH kind, value, n, 1.0 * n / size(listed) AS listed_share, 1.0 * total / everybody AS all_share
RETURN kind, value, n AS listed, listed_share, all_share, listed_share / all_share AS lift
ORDER BY lift DESC, listed DESC, kind, value
LIMIT $limit
