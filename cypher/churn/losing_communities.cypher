// name: losing_communities
// title: Communities that lose members
// purpose: Where customers leave together: communities by the share of members who have left. Whoever has left counts
//   to the community of most of the former contacts. Customers who do not consent are not counted.
// parameter minimum: integer = 10 (1 to 1000000). Only communities that have, or had, at least so many members.
// parameter limit: integer = 1000 (1 to 1000000). At most so many communities, those with the highest share first.
// parameter today: date = today. The day that "left" is seen from.
// column community: text. The community.
// column members: integer. Members who are still there.
// column gone: integer. Members who have left, of those whom the kept periods still show.
// column share: number. The share of the former members who have left.
// column shrinking: integer. Remaining members whose circle shrinks.
// column arpu: number. Mean revenue per month of the remaining members.
MATCH (gone:User)
WHERE gone.consent AND NOT gone.off_net
  AND (coalesce(gone.left, false) OR coalesce(gone.status, '') = 'left' OR gone.left_on < $today)
MATCH (gone)-[:CALLS]-(contact:User)
WHERE contact.communities_community IS NOT NULL
WITH gone, contact.communities_community AS community, count(DISTINCT contact) AS contacts
ORDER BY contacts DESC, community
WITH gone, collect(community)[0] AS community
WITH community, count(gone) AS gone
MATCH (user:User {communities_community: community})
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH community, gone, count(user) AS members, avg(user.arpu) AS arpu,
     sum(CASE WHEN user.circles_shrinking THEN 1 ELSE 0 END) AS shrinking
WHERE members + gone >= $minimum
RETURN community, members, gone, 1.0 * gone / (members + gone) AS share, shrinking, arpu
ORDER BY share DESC, gone DESC, community
LIMIT $limit
