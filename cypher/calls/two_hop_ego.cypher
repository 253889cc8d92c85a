// name: two_hop_ego
// title: A customer's contacts and their contacts
// purpose: The circle around one customer, two steps wide: whom the customer is in contact with, and whom those are in
//   contact with. People who do not consent or have left are not listed, and a customer who does not consent has no
//   rows.
// parameter user: user. The customer in the middle.
// parameter limit: integer = 500 (1 to 100000). At most so many people, the nearest and strongest first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The other person's pseudonym.
// column hops: integer. 1 for a contact, 2 for a contact's contact.
// column through: integer. Over how many of the customer's contacts (1 hop: 1).
// column contacts: integer. Calls and messages: with the customer (1 hop), or with the contacts in between (2 hops).
// column off_net: boolean. The person is with another operator.
MATCH (ego:User {user: $user})
WHERE ego.consent
MATCH (ego)-[ties:CALLS]-(near:User)
WITH ego, near, sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
                    + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS contacts
WITH ego, collect({person: near, contacts: contacts}) AS circle
CALL (ego, circle) {
  UNWIND circle AS one
  RETURN one.person AS person, 1 AS hops, 1 AS through, one.contacts AS contacts
  UNION ALL
  UNWIND circle AS one
  WITH ego, one.person AS near
  MATCH (near)-[ties:CALLS]-(person:User)
  WHERE person <> ego
  WITH ego, person, count(DISTINCT near) AS through,
       sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)
           + coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS contacts
  WHERE NOT EXISTS { (ego)-[:CALLS]-(person) }
  RETURN person, 2 AS hops, through, contacts
}
WITH person, hops, through, contacts
WHERE person.consent AND NOT coalesce(person.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(person.left, false) AND coalesce(person.status, '') <> 'left' AND (person.left_on IS NULL OR person.left_on >= $today)
RETURN person.user AS user, hops, through, contacts, person.off_net AS off_net
ORDER BY hops, through DESC, contacts DESC, user
LIMIT $limit
