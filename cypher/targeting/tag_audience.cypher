// name: tag_audience
// title: Customers who visit pages of some tags
// purpose: An audience by interest: customers whose visits the URL rules gave one of the tags. Customers who do not
//   consent or have left are not listed.
// parameter tags: list of text. The tags.
// parameter visits: integer = 1 (1 to 1000000). With at least so many visits, all these tags together.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, those with the most visits first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column tags: list of text. Which of the tags.
// column visits: integer. Visits to their pages.
// column mb: number. Megabytes of these visits.
// column last_at: moment. The latest visit.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (tag:Tag)<-[tagged:TAGGED]-(user:User)
WHERE tag.tag IN $tags
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH user, tag, tagged ORDER BY tag.tag
WITH user, collect(tag.tag) AS tags, sum(tagged.visits) AS visits, sum(tagged.mb) AS mb, max(tagged.last_at) AS last_at
WHERE visits >= $visits
RETURN user.user AS user, tags, visits, mb, last_at, coalesce(user.no_contact, false) AS no_contact
ORDER BY visits DESC, user
LIMIT $limit
