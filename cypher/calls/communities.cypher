// name: communities
// title: Communities of the call graph
// purpose: The communities by size, with what their members bring in and the leader of each. Customers who do not
//   consent or have left are neither counted nor listed.
// parameter minimum: integer = 10 (1 to 1000000). Only communities with at least so many members.
// parameter limit: integer = 1000 (1 to 1000000). At most so many communities, the largest first.
// parameter today: date = today. The day that "left" is seen from.
// column community: text. The community.
// column members: integer. Its members.
// column arpu: number. Their mean revenue per month.
// column shrinking: integer. Members whose circle shrinks.
// column leader: user. Its first leader; empty where that one may not be listed.
MATCH (user:User)
WHERE user.communities_community IS NOT NULL
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH user.communities_community AS community, count(user) AS members, avg(user.arpu) AS arpu,
     sum(CASE WHEN user.circles_shrinking THEN 1 ELSE 0 END) AS shrinking,
     collect(CASE user.leaders_community_rank WHEN 1 THEN user.user END)[0] AS leader
WHERE members >= $minimum
RETURN community, members, arpu, shrinking, leader
ORDER BY members DESC, community
LIMIT $limit
