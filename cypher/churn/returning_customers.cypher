// name: returning_customers
// title: Customers who left and are back under another number
// purpose: Whom to welcome back, or to win back: numbers that now talk with a former customer's contacts in the same
//   pattern, where that is sure. An off-net number is a customer at another operator. Who does not consent is not
//   listed, nor is a number that has left as well.
// parameter score: number = 0.8 (0 to 1). At least so likely to be one person; below 0.8 there are none in the graph.
// parameter limit: integer = 1000 (1 to 1000000). At most so many, the surest first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The number that the customer has now.
// column former: user. The number that the customer had.
// column score: number. How likely both are one person.
// column left_on: date. The day the former number was left.
// column off_net: boolean. The number of now belongs to another network.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (former:User)-[same:SAME_AS]->(user:User)
WHERE same.score >= $score
  AND former.consent
  AND (coalesce(former.left, false) OR coalesce(former.status, '') = 'left' OR former.left_on < $today)
  AND user.consent AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, former.user AS former, same.score AS score, former.left_on AS left_on, user.off_net AS off_net,
       coalesce(user.no_contact, false) OR coalesce(former.no_contact, false) AS no_contact
ORDER BY score DESC, user, former
LIMIT $limit
