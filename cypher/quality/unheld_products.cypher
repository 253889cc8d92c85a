// name: unheld_products
// title: Products that nobody holds
// purpose: What to take out of the catalogue, or to ask the subscriptions' owner about.
// parameter today: date = today. The day that "holds" is seen from.
// column product: text. The product.
// column name: text. Its name; empty where only other feeds mention it.
// column kind: text. Its kind.
// column formerly: integer. How often it was held before.
// column offers: integer. Offers of it.
MATCH (product:Product)
WHERE NOT EXISTS {
    MATCH (product)<-[holds:SUBSCRIBES]-(:User)
    WHERE holds.since <= $today AND (holds.until IS NULL OR holds.until > $today)
  }
RETURN product.product AS product, product.name AS name, product.kind AS kind,
       COUNT { (product)<-[:SUBSCRIBES]-() } AS formerly, COUNT { (product)<-[:OF]-(:Offer) } AS offers
ORDER BY product
