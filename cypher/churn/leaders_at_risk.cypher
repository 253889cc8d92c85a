// name: leaders_at_risk
// title: Opinion leaders whose circle shrinks
// purpose: Whose leaving would draw others along: leaders who talk with far fewer people than before. Customers who do
//   not consent or have left are not listed.
// parameter top: integer = 10000 (1 to 1000000). Among the first so many leaders of the network.
// parameter share: number = 0.5 (0 to 1). Circles of at most this share of their usual size; the marked ones always.
// parameter limit: integer = 1000 (1 to 1000000). At most so many leaders, the first by rank.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column rank: integer. Rank in the whole network.
// column community: text. The community.
// column reach: integer. People within reach.
// column shrinking: boolean. Whether the circle stands out among all customers of the period.
// column against_peers: number. Size of the circle over its own usual size, relative to the network.
// column strength_lost: number. Share of the former calls and messages that went to contacts now gone.
// column arpu: number. Average revenue per month.
MATCH (user:User)
WHERE user.leaders_rank <= $top AND (user.circles_shrinking OR user.circles_against_peers <= $share)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.leaders_rank AS rank, user.communities_community AS community,
       user.leaders_reach AS reach, user.circles_shrinking AS shrinking, user.circles_against_peers AS against_peers,
       user.circles_strength_lost AS strength_lost, user.arpu AS arpu
ORDER BY rank, user
LIMIT $limit
