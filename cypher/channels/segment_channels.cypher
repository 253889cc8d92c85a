// name: segment_channels
// title: The best three channels of a segment
// purpose: Where a segment is reached best: the three channels that most of its customers used in the last three
//   months. Customers who do not consent or have left are not counted.
// parameter segment: text. The segment.
// parameter today: date = today. The day that "left" is seen from.
// column rank: integer. 1 for the channel that most customers use.
// column channel: text. The channel.
// column name: text. Its name.
// column customers: integer. Customers of the segment who used it.
// column share: number. Their share of the segment.
// column touches: integer. Their uses of it.
MATCH (:Segment {segment: $segment})<-[:IN_SEGMENT]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH collect(user) AS members
UNWIND members AS user
MATCH (user)-[reached:REACHED_BY]->(channel:Channel)
WITH size(members) AS everybody, channel, count(DISTINCT user) AS customers, sum(reached.touches) AS touches
ORDER BY customers DESC, touches DESC, channel.channel
LIMIT 3
WITH collect({channel: channel, customers: customers, share: 1.0 * customers / everybody, touches: touches}) AS best
UNWIND range(1, size(best)) AS rank
WITH rank, best[rank - 1] AS one
RETURN rank, one.channel.channel AS channel, one.channel.name AS name, one.customers AS customers,
       one.share AS share, one.touches AS touches
ORDER BY rank
