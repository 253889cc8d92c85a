// name: plan_use
// title: Customers who use more, or less, than their plan includes
// purpose: Whose plan does not suit: the megabytes of the latest bill against those that the plan includes. By default
//   those who used all of it or more; with at_least=0 and at_most=0.3 those who use little of it. Customers who do not
//   consent or have left are not listed.
// parameter at_least: number = 1.0 (0 to 1000000). Used at least this share of what the plan includes.
// parameter at_most: number = 1000000 (0 to 1000000). Used at most this share.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those who used the most of it first.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column plan: text. The plan held.
// column month: text. The month of the latest bill.
// column mb: number. Megabytes used in it.
// column included_mb: number. Megabytes that the plan includes.
// column share: number. The one divided by the other.
// column fee: number. What the month cost.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (plan:Product {kind: 'plan'})<-[holds:SUBSCRIBES]-(user:User)
WHERE plan.mb > 0 AND user.bill_mb >= $at_least * plan.mb AND user.bill_mb <= $at_most * plan.mb
  AND holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[later:SUBSCRIBES]->(:Product {kind: 'plan'})
    WHERE later.since > holds.since AND later.since <= $today AND (later.until IS NULL OR later.until > $today)
  }
RETURN user.user AS user, plan.product AS plan, user.bill_month AS month, user.bill_mb AS mb, plan.mb AS included_mb,
       user.bill_mb / plan.mb AS share, user.bill_fee AS fee, coalesce(user.no_contact, false) AS no_contact
ORDER BY share DESC, user, plan
LIMIT $limit
