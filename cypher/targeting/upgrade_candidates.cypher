// name: upgrade_candidates
// title: Customers with an old handset
// purpose: Whom to offer a new handset to: customers whose current handset has been in use for long and knows no better
//   network than the one given. Customers who do not consent or have left are not listed.
// parameter months: integer = 24 (0 to 240). In use for at least so many months.
// parameter network: text = "4g" (2g, 3g, 4g, 5g). The handset knows this network at best.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the highest revenue first.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column handset: text. The current handset.
// column model: text. Its model.
// column network: text. The best network it knows.
// column since: date. In use since.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (handset:Handset)<-[uses:USES_HANDSET]-(user:User)
WHERE handset.network <= $network
  AND uses.since <= $today - duration({months: $months}) AND (uses.until IS NULL OR uses.until > $today)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[later:USES_HANDSET]->(:Handset)
    WHERE later.since > uses.since AND later.since <= $today AND (later.until IS NULL OR later.until > $today)
  }
RETURN user.user AS user, handset.handset AS handset, handset.model AS model, handset.network AS network,
       uses.since AS since, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY coalesce(arpu, 0.0) DESC, user, handset
LIMIT $limit
