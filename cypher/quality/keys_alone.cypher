// name: keys_alone
// title: Identifiers that their own feed does not name
// purpose: What to ask the feeds' owners for: handsets, apps, products, offers, channels and cells that other feeds
//   mention and of which nothing else is known.
// parameter limit: integer = 1000 (1 to 100000). At most so many identifiers, those mentioned most first.
// column label: text. What it is.
// column key: text. The identifier.
// column edges: integer. Edges that lead to it or from it.
MATCH (node:Handset|App|Product|Offer|Channel|Cell)
WHERE size(keys(node)) = 1
RETURN labels(node)[0] AS label,
       coalesce(node.handset, node.app, node.product, node.offer, node.channel, node.cell) AS key,
       COUNT { (node)--() } AS edges
ORDER BY edges DESC, label, key
LIMIT $limit
