// name: apps_by_os
// title: Apps by the operating system of the handset
// purpose: What the owners of handsets with one operating system use. Customers who do not consent or have left are not
//   counted.
// parameter os: text. The operating system, as the handsets feed writes it.
// parameter minimum: integer = 2 (1 to 1000000). Only apps that at least so many of the owners use.
// parameter limit: integer = 50 (1 to 10000). At most so many apps, those with the most users first.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column app: text. The app.
// column name: text. Its name.
// column customers: integer. Owners who use it.
// column share: number. Their share of the owners.
MATCH (:Handset {os: $os})<-[owns:USES_HANDSET]-(user:User)
WHERE owns.since <= $today AND (owns.until IS NULL OR owns.until > $today)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH collect(DISTINCT user) AS owners
UNWIND owners AS user
MATCH (user)-[:USES_APP]->(app:App)
WITH size(owners) AS everybody, app, count(user) AS customers
WHERE customers >= $minimum
RETURN app.app AS app, app.name AS name, customers, 1.0 * customers / everybody AS share
ORDER BY customers DESC, app
LIMIT $limit
