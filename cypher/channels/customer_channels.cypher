// name: customer_channels
// title: The best three channels of customers
// purpose: Where to reach each customer of a list: the three channels used most in the last three months, with the
//   hours. Customers who do not consent or have left are not listed.
// parameter users: list of users. The customers.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column rank: integer. 1 for the channel used most.
// column channel: text. The channel.
// column touches: integer. Uses in the last three months.
// column hours: list of integers. The hours of the day (local) it is used at most, the best first.
MATCH (user:User)
WHERE user.user IN $users
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
MATCH (user)-[reached:REACHED_BY]->(channel:Channel)
WITH user, reached, channel ORDER BY reached.touches DESC, reached.last_at DESC, channel.channel
WITH user, collect({channel: channel.channel, touches: reached.touches, hours: reached.hours})[..3] AS best
UNWIND range(1, size(best)) AS rank
WITH user, rank, best[rank - 1] AS one
RETURN user.user AS user, rank, one.channel AS channel, one.touches AS touches, one.hours AS hours
ORDER BY user, rank
