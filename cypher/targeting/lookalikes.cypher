// name: lookalikes
// title: Customers of the segments that a list comes from
// purpose: More like these: customers who are not on the list, from the segments where the list is densest. Customers
//   who do not consent or have left are not listed.
// parameter users: list of users. The customers of the list (buyers, say); others are passed over.
// parameter segments: integer = 3 (1 to 1000). From so many segments, those with the highest share of the list.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the densest segment first, then those with
//   the highest revenue.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column segment: text. The segment.
// column share: number. The share of the segment's customers who are on the list.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (listed:User)-[:IN_SEGMENT]->(segment:Segment)
WHERE listed.user IN $users
  AND listed.consent AND NOT listed.off_net AND NOT coalesce(listed.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(listed.left, false) AND coalesce(listed.status, '') <> 'left' AND (listed.left_on IS NULL OR listed.left_on >= $today)
WITH segment, count(DISTINCT listed) AS n
WITH segment, n, 1.0 * n / COUNT { (segment)<-[:IN_SEGMENT]-() } AS share
ORDER BY share DESC, n DESC, segment.segment
LIMIT $segments
MATCH (segment)<-[:IN_SEGMENT]-(user:User)
WHERE NOT user.user IN $users
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, segment.segment AS segment, share, user.arpu AS arpu,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY share DESC, segment, coalesce(arpu, 0.0) DESC, user
LIMIT $limit
