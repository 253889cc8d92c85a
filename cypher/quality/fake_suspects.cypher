// name: fake_suspects
// title: Numbers that look like an agent's or a SIM box's
// purpose: What to look into before money is spent on it: customers whose pattern of calls is unlike the network's, with
//   the reasons in words. A suspicion, not a finding. Customers who do not consent or have left are not listed.
// parameter decile: integer = 1 (1 to 10). In the first so many tenths by how likely the number is no customer.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the first by how likely the number is no customer.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column probability: number. How likely the number is no customer, from 0 to 1.
// column reasons: list of text. What speaks for it, the strongest first.
// column activated_on: date. The first day of the subscription.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User)
WHERE user.scores_fake_decile <= $decile
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.scores_fake AS probability, user.scores_fake_reasons AS reasons,
       user.activated_on AS activated_on, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY probability DESC, user
LIMIT $limit
