// name: segments_for
// title: The segments that an app, product or category fits
// purpose: Whom to offer it to: segments by lift, their customers' share over that of all. Customers who do not consent
//   or have left are not counted.
// parameter kind: text (app, product, category). What it is.
// parameter item: text. Which one.
// parameter limit: integer = 100 (1 to 10000). At most so many segments, the highest lift first.
// parameter today: date = today. The day that "left" is seen from.
// column segment: text. The segment.
// column score: number. The share of the segment's customers who have it, drawn a little towards that of all.
// column lift: number. The score divided by the share of all customers; 1 is as usual.
// column channel: text. The channel that the segment is reached best through.
// column customers: integer. The segment's customers.
MATCH (segment:Segment)-[fits:FITS]->(thing)
WHERE toLower(labels(thing)[0]) = $kind AND coalesce(thing.app, thing.product, thing.category) = $item
WITH segment, fits ORDER BY fits.lift DESC, segment.segment LIMIT $limit
MATCH (segment)<-[:IN_SEGMENT]-(user:User)
WHERE user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN segment.segment AS segment, fits.score AS score, fits.lift AS lift, fits.channel AS channel,
       count(user) AS customers
ORDER BY lift DESC, segment
