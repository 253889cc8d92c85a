// name: likely_data_pack
// title: Customers who may soon order a data pack
// purpose: Whom to offer a data pack: customers whom the model expects to order one, with the reasons in
//   words. Customers who do not consent or have left are not listed.
// parameter decile: integer = 1 (1 to 10). In the first so many tenths by how likely an order is.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the first by how likely an order is.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column probability: number. How likely an order is, from 0 to 1.
// column reasons: list of text. What speaks for it, the strongest first.
// column mb: number. Megabytes of the latest bill.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User)
WHERE user.scores_data_pack_decile <= $decile
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.scores_data_pack AS probability, user.scores_data_pack_reasons AS reasons,
       user.bill_mb AS mb, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY probability DESC, user
LIMIT $limit
