// name: community_leaders
// title: Opinion leaders of a community
// purpose: Whom to speak to first in a community of the call graph: its leaders by rank, with what makes them leaders.
//   Customers who do not consent or have left are not listed.
// parameter community: text. The community, as `dumbbell analyse` names it.
// parameter limit: integer = 20 (1 to 10000). At most so many leaders.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column community_rank: integer. Rank in the community, 1 for the first.
// column rank: integer. Rank in the whole network.
// column score: number. The leader score.
// column reach: integer. People within reach.
// column adoptions_led: integer. Adoptions by contacts that followed the customer's own.
// column evidence: number. How likely chance alone gives so many (p-value); empty without any.
MATCH (user:User {communities_community: $community})
WHERE user.leaders_rank IS NOT NULL
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.leaders_community_rank AS community_rank, user.leaders_rank AS rank,
       user.leaders_score AS score, user.leaders_reach AS reach, user.leaders_adoptions_led AS adoptions_led,
       user.leaders_evidence AS evidence
ORDER BY community_rank, rank, user
LIMIT $limit
