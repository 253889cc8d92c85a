// name: handset_switches
// title: From which brand of handset to which
// purpose: Who wins customers from whom: changes of handset of late, by the brand before and after. Customers who do
//   not consent or have left are not counted.
// parameter days: integer = 90 (1 to 3650). Changes within so many days before today.
// parameter limit: integer = 100 (1 to 10000). At most so many pairs of brands.
// parameter today: date = today. The day to count from.
// column from_brand: text. The brand before; empty where the handsets feed gives none.
// column to_brand: text. The brand after.
// column customers: integer. Customers who changed so.
MATCH (to:Handset)<-[uses:USES_HANDSET]-(user:User)
WHERE uses.since <= $today AND uses.since > $today - duration({days: $days})
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
MATCH (user)-[before:USES_HANDSET]->(old:Handset)
WHERE before.since < uses.since
WITH user, to, uses, old ORDER BY before.since DESC, old.handset
WITH user, to, uses, collect(old)[0] AS from
RETURN from.brand AS from_brand, to.brand AS to_brand, count(DISTINCT user) AS customers
ORDER BY customers DESC, from_brand, to_brand
LIMIT $limit
