// name: segments
// title: All segments
// purpose: The segments by size, with what they bring in, what they like most and where they are reached. Customers who
//   do not consent or have left are not counted.
// parameter limit: integer = 10000 (1 to 1000000). At most so many segments, the largest first.
// parameter today: date = today. The day that "left" is seen from.
// column segment: text. The segment.
// column customers: integer. Its customers.
// column arpu: number. Their mean revenue per month.
// column category: text. The category with the highest lift.
// column lift: number. Its lift over all customers.
// column channel: text. The channel that the segment is reached best through.
MATCH (segment:Segment)<-[:IN_SEGMENT]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH segment, count(user) AS customers, avg(user.arpu) AS arpu
ORDER BY customers DESC, segment.segment
LIMIT $limit
WITH segment, customers, arpu, COLLECT {
  MATCH (segment)-[fits:FITS]->(category:Category)
  RETURN {category: category.category, lift: fits.lift, channel: fits.channel}
  ORDER BY fits.lift DESC, category.category LIMIT 1
}[0] AS best
RETURN segment.segment AS segment, customers, arpu, best.category AS category, best.lift AS lift, best.channel AS channel
ORDER BY customers DESC, segment
