// name: best_channel
// title: The channel that each segment accepts most through
// purpose: Where each segment says yes: the channel with the highest share of accepted answers. Customers who do not
//   consent or have left are not counted.
// parameter minimum: integer = 10 (1 to 1000000). Only channels with at least so many answers of the segment.
// parameter today: date = today. The day that "left" is seen from.
// column segment: text. The segment.
// column channel: text. Its best channel.
// column answers: integer. Answers of the segment through it.
// column accepted: integer. How many of them accepted.
// column rate: number. The one divided by the other.
MATCH (segment:Segment)<-[:IN_SEGMENT]-(user:User)-[answer:RESPONDED]->()
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH segment, answer.channel AS channel, count(answer) AS answers,
     sum(CASE answer.outcome WHEN 'accepted' THEN 1 ELSE 0 END) AS accepted
WHERE answers >= $minimum
WITH segment, channel, answers, accepted, 1.0 * accepted / answers AS rate ORDER BY rate DESC, answers DESC, channel
WITH segment, collect({channel: channel, answers: answers, accepted: accepted, rate: rate})[0] AS best
RETURN segment.segment AS segment, best.channel AS channel, best.answers AS answers, best.accepted AS accepted,
       best.rate AS rate
ORDER BY segment
