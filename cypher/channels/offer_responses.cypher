// name: offer_responses
// title: Who answered an offer
// purpose: Customers who accepted, refused or ignored an offer, or were shown it, the latest first. Customers who do
//   not consent or have left are not listed.
// parameter offer: text. The offer.
// parameter outcome: text = "accepted" (accepted, refused, ignored, shown). Which answer.
// parameter days: integer = 90 (1 to 3650). Given within so many days before today.
// parameter limit: integer = 1000 (1 to 1000000). At most so many answers.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column channel: text. The channel of the answer.
// column at: moment. When it was given.
// column decision: text. The decision that was answered, where it is known.
MATCH (:Offer {offer: $offer})<-[answer:RESPONDED]-(user:User)
WHERE answer.outcome = $outcome AND date(answer.at) > $today - duration({days: $days}) AND date(answer.at) <= $today
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, answer.channel AS channel, answer.at AS at, answer.decision AS decision
ORDER BY at DESC, user, channel
LIMIT $limit
