// name: complaints
// title: Customers with trouble on their latest bill
// purpose: Whom to call before they call: customers who complained, or whose calls were cut off, in the month of their
//   latest bill. Customers who do not consent or have left are not listed.
// parameter complaints: integer = 1 (0 to 1000). With at least so many complaints (or dropped calls, below).
// parameter dropped_calls: integer = 10 (0 to 100000). With at least so many dropped calls (or complaints, above).
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the most complaints first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column month: text. The month of the bill.
// column complaints: integer. Complaints in it.
// column dropped_calls: integer. Dropped calls in it.
// column contract_until: date. The day the contract ends.
// column arpu: number. Average revenue per month.
MATCH (user:User)
WHERE (user.bill_complaints >= $complaints OR user.bill_dropped_calls >= $dropped_calls)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.bill_month AS month, user.bill_complaints AS complaints,
       user.bill_dropped_calls AS dropped_calls, user.contract_until AS contract_until, user.arpu AS arpu
ORDER BY coalesce(complaints, 0) DESC, coalesce(dropped_calls, 0) DESC, user
LIMIT $limit
