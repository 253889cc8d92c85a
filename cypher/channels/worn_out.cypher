// name: worn_out
// title: Customers who were asked often and never said yes
// purpose: Whom to leave alone for a while: customers with many contacts of late, none of them accepted. Customers who
//   do not consent or have left are not listed.
// parameter contacts: integer = 3 (1 to 1000). With at least so many contacts.
// parameter days: integer = 90 (1 to 3650). Contacts within so many days before today.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those asked most often first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column contacts: integer. Offers and apps shown, refused or ignored.
// column refused: integer. How many were refused.
// column last_at: moment. The latest contact.
MATCH (user:User)-[answer:RESPONDED]->()
WHERE date(answer.at) > $today - duration({days: $days}) AND date(answer.at) <= $today
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH user, count(answer) AS contacts, max(answer.at) AS last_at,
     sum(CASE answer.outcome WHEN 'refused' THEN 1 ELSE 0 END) AS refused,
     sum(CASE answer.outcome WHEN 'accepted' THEN 1 ELSE 0 END) AS accepted
WHERE contacts >= $contacts AND accepted = 0
RETURN user.user AS user, contacts, refused, last_at
ORDER BY contacts DESC, refused DESC, user
LIMIT $limit
