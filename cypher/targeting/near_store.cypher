// name: near_store
// title: Customers who live or work near a store
// purpose: Whom to invite to a store: customers whose cell at work or at rest has this store as its nearest. Customers
//   who do not consent or have left are not listed.
// parameter store: text. The store.
// parameter metres: integer = 3000 (0 to 1000000). The cell is at most so far from the store.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the nearest first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column place: text. work or rest: which of the customer's places it is.
// column cell: text. The cell.
// column metres: integer. From the cell to the store.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (:Store {store: $store})<-[nearest:NEAREST]-(cell:Cell)<-[is:WORKS_NEAR|RESTS_NEAR]-(user:User)
WHERE nearest.metres <= $metres
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, CASE type(is) WHEN 'WORKS_NEAR' THEN 'work' ELSE 'rest' END AS place, cell.cell AS cell,
       nearest.metres AS metres, coalesce(user.no_contact, false) AS no_contact
ORDER BY metres, user, place, cell
LIMIT $limit
