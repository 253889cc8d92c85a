// name: shrinking_circles
// title: Customers whose circle shrinks
// purpose: Whom to win back before they leave: customers who, in the last period, talk with fewer people than their own
//   past, the network and their number of calls explain (as `dumbbell analyse` found). `shrinking` marks those who stand
//   out even among so many customers (at most 5 % of them by chance). Customers who do not consent or have left are not
//   listed.
// parameter p_value: number = 0.05 (0 to 1). Only circles that chance makes so small no more often than this.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the surest first.
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
WHERE user.circles_p_value <= $p_value AND user.circles_against_peers < 1 AND user.consent AND NOT user.off_net
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.circles_shrinking AS shrinking, user.circles_contacts AS contacts, user.circles_lost AS lost,
       user.circles_against_self AS against_self, user.circles_against_peers AS against_peers,
       user.circles_strength_lost AS strength_lost, user.circles_p_value AS p_value, user.arpu AS arpu
ORDER BY p_value, strength_lost DESC, user
LIMIT $limit
