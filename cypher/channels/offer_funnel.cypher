// name: offer_funnel
// title: What became of an offer, by channel
// purpose: Where an offer works: answers by channel and outcome. Customers who do not consent are not counted.
// parameter offer: text. The offer.
// column channel: text. The channel.
// column answers: integer. All answers: shown, accepted, refused and ignored.
// column customers: integer. Customers who gave them.
// column accepted: integer. How many accepted.
// column refused: integer. How many refused.
// column ignored: integer. How many ignored it.
// column rate: number. accepted divided by answers.
MATCH (:Offer {offer: $offer})<-[answer:RESPONDED]-(user:User)
WHERE user.consent
WITH answer.channel AS channel, count(answer) AS answers, count(DISTINCT user) AS customers,
     sum(CASE answer.outcome WHEN 'accepted' THEN 1 ELSE 0 END) AS accepted,
     sum(CASE answer.outcome WHEN 'refused' THEN 1 ELSE 0 END) AS refused,
     sum(CASE answer.outcome WHEN 'ignored' THEN 1 ELSE 0 END) AS ignored
RETURN channel, answers, customers, accepted, refused, ignored, 1.0 * accepted / answers AS rate
ORDER BY rate DESC, answers DESC, channel
