// name: churned_friends
// title: Customers whose friends have left
// purpose: Leaving is catching: customers by how many of their contacts are no longer with the operator. Customers who
//   do not consent or have left are not listed.
// parameter at_least: integer = 2 (1 to 1000). With at least so many contacts who have left.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the most first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column friends_left: integer. Contacts who have left, of the periods that the graph keeps.
// column contacts: integer. Contacts in the last period.
// column shrinking: boolean. Whether the customer's circle shrinks.
// column contract_until: date. The day the contract ends.
// column arpu: number. Average revenue per month.
MATCH (gone:User)
WHERE NOT gone.off_net AND (coalesce(gone.left, false) OR coalesce(gone.status, '') = 'left' OR gone.left_on < $today)
MATCH (gone)-[:CALLS]-(user:User)
WITH user, count(DISTINCT gone) AS friends_left
WHERE friends_left >= $at_least
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, friends_left, user.circles_contacts AS contacts, user.circles_shrinking AS shrinking,
       user.contract_until AS contract_until, user.arpu AS arpu
ORDER BY friends_left DESC, coalesce(arpu, 0.0) DESC, user
LIMIT $limit
