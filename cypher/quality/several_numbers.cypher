// name: several_numbers
// title: Persons with several numbers
// purpose: Who stands behind several numbers, so that one household or one person is asked once. Customers who do not
//   consent or have left are not listed.
// parameter minimum: integer = 2 (2 to 1000). With at least so many numbers.
// parameter limit: integer = 1000 (1 to 1000000). At most so many persons, those with the most numbers first.
// parameter today: date = today. The day that "left" is seen from.
// column person: user. The natural person's pseudonym.
// column numbers: integer. How many numbers.
// column users: list of users. Their pseudonyms.
// column arpu: number. Revenue per month of all of them.
MATCH (person:Person)<-[:HELD_BY]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH person, user ORDER BY user.user
WITH person, count(user) AS numbers, collect(user.user) AS users, sum(user.arpu) AS arpu
WHERE numbers >= $minimum
RETURN person.person AS person, numbers, users, arpu
ORDER BY numbers DESC, person
LIMIT $limit
