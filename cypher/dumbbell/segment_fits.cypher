// name: segment_fits
// title: What fits whom: segments and categories
// purpose: The bar of the dumbbell as a table, to be drawn as a heat map: how much more often than everybody the
//   customers of a segment have a category's apps and products.
// parameter lift: number = 0 (0 to 1000000). Only pairs of at least this lift.
// parameter limit: integer = 100000 (1 to 1000000). At most so many pairs.
// column segment: text. The segment.
// column category: text. The category.
// column score: number. The share of the segment's customers who have it, drawn a little towards that of all.
// column lift: number. The score divided by the share of all customers; 1 is as usual.
// column channel: text. The channel that the segment is reached best through.
MATCH (segment:Segment)-[fits:FITS]->(category:Category)
WHERE fits.lift >= $lift
RETURN segment.segment AS segment, category.category AS category, fits.score AS score, fits.lift AS lift,
       fits.channel AS channel
ORDER BY segment, category
LIMIT $limit
