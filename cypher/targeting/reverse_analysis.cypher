// name: reverse_analysis
// title: What distinguishes a list of customers
// purpose: Given customers (buyers, complainers, a list from a shop), the handsets, brands, apps, products, segments
//   and cities that they have more often than all customers, by lift: their share divided by the share of all.
//   Customers who do not consent or have left are counted on neither side.
// parameter users: list of users. The customers of the list; others are passed over.
// parameter minimum: integer = 2 (1 to 1000000). Only what at least so many customers of the list have.
// parameter sample: integer = 5000 (100 to 10000000). How many customers there are, and the shares of brands and
//   cities, are read from so many of them (pseudonyms are in random order); exact where there are no more.
// parameter limit: integer = 50 (1 to 10000). At most so many rows, the highest lift first.
// parameter today: date = today. The day that "current" is seen from.
// column kind: text. handset, brand, app, product, segment or city.
// column value: text. Which one.
// column listed: integer. Customers of the list who have it.
// column listed_share: number. Their share of the list.
// column all_share: number. The share of all customers who have it.
// column lift: number. listed_share divided by all_share; 1 is as usual.
MATCH (user:User)
WITH count(user) AS known
CALL () {
  MATCH (user:User) WHERE user.user >= ''
  WITH user ORDER BY user.user LIMIT $sample
  RETURN collect(user) AS sample
}
WITH known, size(sample) AS seen, [
  user IN sample WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
] AS everybody
WITH everybody, 1.0 * size(everybody) * known / toFloat(seen) AS customers // of an empty graph not a number
MATCH (user:User)
WHERE user.user IN $users
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH everybody, customers, collect(user) AS listed
CALL (listed, everybody, customers) {
  UNWIND listed AS user
  MATCH (user)-[has:USES_APP|USES_HANDSET|SUBSCRIBES|IN_SEGMENT]->(thing)
  WHERE (has.since IS NULL OR has.since <= $today) AND (has.until IS NULL OR has.until > $today)
  WITH customers, thing, count(DISTINCT user) AS n WHERE n >= $minimum
  WITH customers, thing, n, coalesce(thing.app, thing.handset, thing.product, thing.segment) AS value,
       1.0 * n / COUNT { (thing)<-[:USES_APP|USES_HANDSET|SUBSCRIBES|IN_SEGMENT]-() } AS density
  ORDER BY density DESC, n DESC, value LIMIT $limit // to count for all things would take too long
  CALL (thing) {
    MATCH (thing)<-[has:USES_APP|USES_HANDSET|SUBSCRIBES|IN_SEGMENT]-(other:User)
    WHERE (has.since IS NULL OR has.since <= $today) AND (has.until IS NULL OR has.until > $today)
      AND other.consent AND NOT other.off_net AND NOT coalesce(other.kind, 'person') IN ['service', 'machine']
      AND NOT coalesce(other.left, false) AND coalesce(other.status, '') <> 'left' AND (other.left_on IS NULL OR other.left_on >= $today)
    RETURN count(DISTINCT other) AS total
  }
  RETURN toLower(labels(thing)[0]) AS kind, value, n, total / customers AS all_share
  UNION ALL
  UNWIND [[true, listed], [false, everybody]] AS side
  UNWIND side[1] AS user
  MATCH (user)-[uses:USES_HANDSET]->(handset:Handset)
  WHERE uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
  WITH size(everybody) AS seen, handset.brand AS value, count(DISTINCT CASE WHEN side[0] THEN user END) AS n,
       count(DISTINCT CASE WHEN NOT side[0] THEN user END) AS total
  WHERE value IS NOT NULL AND n >= $minimum AND total > 0
  RETURN 'brand' AS kind, value, n, 1.0 * total / seen AS all_share
  UNION ALL
  UNWIND [[true, listed], [false, everybody]] AS side
  UNWIND side[1] AS user
  WITH size(everybody) AS seen, user.city AS value, count(CASE WHEN side[0] THEN 1 END) AS n,
       count(CASE WHEN NOT side[0] THEN 1 END) AS total
  WHERE value IS NOT NULL AND n >= $minimum AND total > 0
  RETURN 'city' AS kind, value, n, 1.0 * total / seen AS all_share
}
WITH kind, value, n, 1.0 * n / size(listed) AS listed_share, all_share
RETURN kind, value, n AS listed, listed_share, all_share, listed_share / all_share AS lift
ORDER BY lift DESC, listed DESC, kind, value
LIMIT $limit
