// name: apps_together
// title: Apps used together on a handset
// purpose: Which apps go together on a handset model, for bundles and preinstalled sets: pairs of apps by how many of
//   the model's users have both, with the lift over chance. Customers who do not consent or have left are not counted.
// parameter handset: text. The handset, or the name of its model.
// parameter apps: integer = 50 (2 to 500). Pairs are made of so many apps, those with the most users on this handset.
// parameter minimum: integer = 2 (1 to 1000000). Only pairs that at least so many customers have.
// parameter limit: integer = 100 (1 to 10000). At most so many pairs.
// parameter today: date = today. The day that "current" is seen from.
// column app: text. One app.
// column other: text. The other.
// column customers: integer. Customers with this handset who use both.
// column share: number. Their share of the handset's customers.
// column lift: number. Customers with both, divided by how many there would be if the two were unrelated.
MATCH (handset:Handset)
WHERE handset.handset = $handset OR handset.model = $handset
MATCH (handset)<-[uses:USES_HANDSET]-(user:User)
WHERE uses.since <= $today AND (uses.until IS NULL OR uses.until > $today)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH collect(DISTINCT user) AS owners
CALL (owners) {
  UNWIND owners AS user
  MATCH (user)-[:USES_APP]->(app:App)
  WITH app, collect(DISTINCT user) AS having
  WITH app, size(having) AS n, having
  ORDER BY n DESC, app.app LIMIT $apps
  RETURN collect({app: app.app, n: n}) AS known, collect({app: app.app, having: having}) AS top
}
CALL (top) {
  UNWIND top AS entry
  UNWIND entry.having AS user
  WITH user, entry.app AS app ORDER BY app
  WITH user, collect(app) AS mine
  UNWIND range(0, size(mine) - 2) AS i
  UNWIND mine[i + 1..] AS other
  RETURN mine[i] AS app, other, count(user) AS customers
}
WITH owners, known, app, other, customers WHERE customers >= $minimum
WITH app, other, customers, size(owners) AS everybody,
     [one IN known WHERE one.app = app | one.n][0] AS n_app, [one IN known WHERE one.app = other | one.n][0] AS n_other
RETURN app, other, customers, 1.0 * customers / everybody AS share,
       1.0 * customers * everybody / (n_app * n_other) AS lift
ORDER BY customers DESC, lift DESC, app, other
LIMIT $limit
