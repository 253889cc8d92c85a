// name: shrinking_circles
// title: Customers whose circle shrinks
// purpose: Whom to win back before they leave: customers who, in the last period, talk with far fewer people than in
//   the periods before, the network's own change taken out. `shrinking` marks those who also talk with fewer people
//   than their number of calls explains, beyond chance: few are, where customers call little. Customers who do not
//   consent or have left are not listed.
// parameter share: number = 0.5 (0 to 1). Circles of at most this share of their usual size; the marked ones always.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the marked first, then by how much of
//   their calls is gone.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column shrinking: boolean. Whether the circle stands out among all customers of the period.
// column contacts: integer. Contacts in the last period.
// column lost: integer. Contacts of the period before who are gone.
// column against_self: number. Size of the circle over its own mean of up to three earlier periods.
// column against_peers: number. The same, relative to the network in that period.
// column strength_lost: number. Share of the former calls and messages that went to contacts now gone.
// column p_value: number. How likely chance alone makes a circle so small.
// column arpu: number. Average revenue per month.
MATCH (user:User)
WHERE (user.circles_shrinking = true OR user.circles_against_peers <= $share)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.circles_shrinking AS shrinking, user.circles_contacts AS contacts, user.circles_lost AS lost,
       user.circles_against_self AS against_self, user.circles_against_peers AS against_peers,
       user.circles_strength_lost AS strength_lost, user.circles_p_value AS p_value, user.arpu AS arpu
ORDER BY shrinking DESC, strength_lost DESC, user
LIMIT $limit
