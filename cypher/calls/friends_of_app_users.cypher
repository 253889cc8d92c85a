// name: friends_of_app_users
// title: People who call the users of an app and do not use it
// purpose: Whom an app will reach next: customers who are in contact with its users, ranked by how many of them they
//   know and how much they talk. Customers who do not consent or have left are not listed.
// parameter app: text. The app.
// parameter at_least: integer = 1 (1 to 1000). In contact with at least so many users of the app.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column friends: integer. Users of the app whom the customer is in contact with.
// column contacts: integer. Calls and messages with them, in the periods that the graph keeps.
MATCH (app:App {app: $app})<-[:USES_APP]-(adopter)-[ties:CALLS]-(user)
WITH app, user, count(DISTINCT adopter) AS friends,
     sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
         + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS contacts
WHERE friends >= $at_least
WITH app, user, user.user AS key, friends, contacts
ORDER BY friends DESC, contacts DESC, key // before what may be asked of the first ones only
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS { (user)-[:USES_APP]->(app) }
RETURN key AS user, friends, contacts
ORDER BY friends DESC, contacts DESC, key
LIMIT $limit
