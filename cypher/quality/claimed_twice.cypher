// name: claimed_twice
// title: Customers who match several others
// purpose: Matches of returning customers that cannot all be right: one customer who is taken for the same as several
//   others. Customers who do not consent are not listed, nor are matches of one who has left.
// parameter limit: integer = 1000 (1 to 100000). At most so many customers, those with the most matches first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column matches: integer. How many others.
// column others: list of users. Their pseudonyms, the best match first.
// column score: number. The score of the best match.
// column second: number. The score of the next one.
MATCH (user:User)-[same:SAME_AS]-(other:User)
WHERE other.consent
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH user, other, max(same.score) AS score ORDER BY score DESC, other.user
WITH user, collect(other.user) AS others, collect(score) AS scores
WHERE size(others) > 1
RETURN user.user AS user, size(others) AS matches, others, scores[0] AS score, scores[1] AS second
ORDER BY matches DESC, user
LIMIT $limit
