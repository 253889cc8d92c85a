// name: contract_ending
// title: Customers whose contract ends soon
// purpose: Whom to offer a new contract to before the old one ends, the earliest first. Customers who do not consent or
//   have left are not listed.
// parameter days: integer = 60 (0 to 3650). Contracts that end within so many days from today.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those whose contract ends first.
// parameter today: date = today. The day to count from.
// column user: user. The customer's pseudonym.
// column contract_until: date. The day the contract ends.
// column plan: text. The plan held.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User)
WHERE user.contract_until >= $today AND user.contract_until <= $today + duration({days: $days})
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH user ORDER BY user.contract_until, user.user LIMIT $limit
RETURN user.user AS user, user.contract_until AS contract_until,
       COLLECT {
         MATCH (user)-[holds:SUBSCRIBES]->(plan:Product {kind: 'plan'})
         WHERE holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
         RETURN plan.product ORDER BY holds.since DESC, plan.product LIMIT 1
       }[0] AS plan,
       user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY contract_until, user
