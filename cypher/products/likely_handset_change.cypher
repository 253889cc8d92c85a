// name: likely_handset_change
// title: Customers who may soon change the handset
// purpose: Whom to show new handsets: customers whom the model expects to change theirs, with the reasons in
//   words. Customers who do not consent or have left are not listed.
// parameter decile: integer = 1 (1 to 10). In the first so many tenths by how likely a change is.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the first by how likely a change is.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column probability: number. How likely a change is, from 0 to 1.
// column reasons: list of text. What speaks for it, the strongest first.
// column contract_until: date. The day the contract ends.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User)
WHERE user.scores_handset_change_decile <= $decile
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.scores_handset_change AS probability, user.scores_handset_change_reasons AS reasons,
       user.contract_until AS contract_until, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY probability DESC, user
LIMIT $limit
