// name: category_users
// title: Customers who use the apps of a category
// purpose: An audience by use: customers with the most sessions in a category's apps. Customers who do not consent or
//   have left are not listed.
// parameter category: text. The category of apps.
// parameter sessions: integer = 10 (1 to 1000000). With at least so many sessions.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the most sessions first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column apps: integer. Apps of the category that the customer uses.
// column sessions: integer. Sessions in them.
// column last_at: moment. The latest use.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (:Category {category: $category})<-[:IN_CATEGORY]-(app:App)<-[uses:USES_APP]-(user:User)
WITH user, count(DISTINCT app) AS apps, sum(uses.sessions) AS sessions, max(uses.last_at) AS last_at
WHERE sessions >= $sessions
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, apps, sessions, last_at, user.arpu AS arpu, coalesce(user.no_contact, false) AS no_contact
ORDER BY sessions DESC, user
LIMIT $limit
