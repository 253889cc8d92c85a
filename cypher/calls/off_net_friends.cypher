// name: off_net_friends
// title: Customers with many friends at other operators
// purpose: Who could bring friends along: customers of a city by how many numbers of other operators they talk with.
//   Customers who do not consent or have left are not listed.
// parameter city: text. The city, as the users feed writes it.
// parameter at_least: integer = 3 (1 to 1000). With at least so many such friends.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the most first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column friends: integer. Numbers of other operators that the customer is in contact with.
// column contacts: integer. Calls and messages with them, in the periods that the graph keeps.
// column share: number. Their share of all numbers that the customer is in contact with.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User {city: $city})
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
MATCH (user)-[ties:CALLS]-(friend:User)
WITH user, friend, sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
                       + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS contacts
WITH user, count(friend) AS everybody, sum(CASE WHEN friend.off_net THEN 1 ELSE 0 END) AS friends,
     sum(CASE WHEN friend.off_net THEN contacts ELSE 0 END) AS contacts
WHERE friends >= $at_least
RETURN user.user AS user, friends, contacts, 1.0 * friends / everybody AS share,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY friends DESC, contacts DESC, user
LIMIT $limit
