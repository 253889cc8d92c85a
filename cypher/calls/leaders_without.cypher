// name: leaders_without
// title: Opinion leaders who do not hold a product
// purpose: Whom to convince first, so that others follow: leaders of the call graph who lack the product. Customers who
//   do not consent or have left are not listed.
// parameter product: text. The product; one that is not in the graph lists nobody.
// parameter top: integer = 1000 (1 to 1000000). Among the first so many of the network.
// parameter limit: integer = 1000 (1 to 1000000). At most so many leaders, the first by rank.
// parameter today: date = today. The day that "current" and "left" are seen from.
// column user: user. The customer's pseudonym.
// column rank: integer. Rank in the whole network.
// column community: text. The community.
// column community_rank: integer. Rank in it.
// column score: number. The leader score.
// column reach: integer. People within reach.
// column friends: integer. Contacts who hold the product.
MATCH (product:Product {product: $product})
MATCH (user:User)
WHERE user.leaders_rank <= $top
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
  AND NOT EXISTS {
    MATCH (user)-[holds:SUBSCRIBES]->(product)
    WHERE holds.until IS NULL OR holds.until > $today
  }
WITH product, user ORDER BY user.leaders_rank, user.user LIMIT $limit
RETURN user.user AS user, user.leaders_rank AS rank, user.communities_community AS community,
       user.leaders_community_rank AS community_rank, user.leaders_score AS score, user.leaders_reach AS reach,
       COUNT {
         MATCH (user)-[:CALLS]-(friend:User)-[held:SUBSCRIBES]->(product)
         WHERE held.since <= $today AND (held.until IS NULL OR held.until > $today)
         RETURN DISTINCT friend
       } AS friends
ORDER BY rank, user
