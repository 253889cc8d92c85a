// name: fitting_customers
// title: Customers whom a product fits and who lack it
// purpose: Whom to offer a product to: customers of the segments that it fits who do not hold it yet, with the channel.
//   Customers who do not consent or have left are not listed.
// parameter product: text. The product.
// parameter lift: number = 1.2 (0 to 1000000). Segments of at least this lift.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the highest lift first, then those with
//   the highest revenue.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column segment: text. The segment.
// column lift: number. How much more often than all customers the segment has the product.
// column channel: text. The channel that the segment is reached best through.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (product:Product {product: $product})<-[fits:FITS]-(segment:Segment)<-[:IN_SEGMENT]-(user:User)
WHERE fits.lift >= $lift
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[holds:SUBSCRIBES]->(product)
    WHERE holds.until IS NULL OR holds.until > $today
  }
RETURN user.user AS user, segment.segment AS segment, fits.lift AS lift, fits.channel AS channel, user.arpu AS arpu,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY lift DESC, coalesce(arpu, 0.0) DESC, user, segment
LIMIT $limit
