// name: rising_apps
// title: New apps rising in a segment
// purpose: What a segment takes up: apps by the share of their users in the segment who began of late. Customers who do
//   not consent or have left are not counted.
// parameter segment: text. The segment.
// parameter days: integer = 30 (1 to 3650). What counts as "of late".
// parameter minimum: integer = 2 (1 to 1000000). Only apps that at least so many customers began to use.
// parameter limit: integer = 50 (1 to 10000). At most so many apps.
// parameter today: date = today. The day to count from.
// column app: text. The app.
// column name: text. Its name.
// column started: integer. Customers of the segment who began to use it within these days.
// column customers: integer. Customers of the segment who use it.
// column started_share: number. The one divided by the other.
// column share: number. The share of the segment's customers who use it.
MATCH (:Segment {segment: $segment})<-[:IN_SEGMENT]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH collect(user) AS members
UNWIND members AS user
MATCH (user)-[uses:USES_APP]->(app:App)
WITH size(members) AS everybody, app, count(user) AS customers,
     sum(CASE WHEN date(uses.first_at) > $today - duration({days: $days}) THEN 1 ELSE 0 END) AS started
WHERE started >= $minimum
RETURN app.app AS app, app.name AS name, started, customers, 1.0 * started / customers AS started_share,
       1.0 * customers / everybody AS share
ORDER BY started_share DESC, started DESC, app
LIMIT $limit
