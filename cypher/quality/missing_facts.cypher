// name: missing_facts
// title: What is not known of customers
// purpose: How complete the feeds are: customers of whom a fact is missing. All customers who have not left count.
// parameter today: date = today. The day that "left" is seen from.
// column fact: text. What is missing.
// column customers: integer. Customers of whom it is not known.
// column share: number. Their share of all customers.
MATCH (user:User)
WHERE NOT user.off_net
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
WITH count(user) AS everybody,
     sum(CASE WHEN user.city IS NULL THEN 1 ELSE 0 END) AS city,
     sum(CASE WHEN user.gender IS NULL THEN 1 ELSE 0 END) AS gender,
     sum(CASE WHEN user.birth_year IS NULL THEN 1 ELSE 0 END) AS birth_year,
     sum(CASE WHEN user.arpu IS NULL THEN 1 ELSE 0 END) AS arpu,
     sum(CASE WHEN user.contract_until IS NULL THEN 1 ELSE 0 END) AS contract_until,
     sum(CASE WHEN user.bill_month IS NULL THEN 1 ELSE 0 END) AS bill,
     sum(CASE WHEN EXISTS { (user)-[:USES_HANDSET]->() } THEN 0 ELSE 1 END) AS handset,
     sum(CASE WHEN EXISTS { (user)-[:USES_APP]->() } THEN 0 ELSE 1 END) AS app,
     sum(CASE WHEN EXISTS { (user)-[:SUBSCRIBES]->() } THEN 0 ELSE 1 END) AS product,
     sum(CASE WHEN EXISTS { (user)-[:REACHED_BY]->() } THEN 0 ELSE 1 END) AS channel,
     sum(CASE WHEN EXISTS { (user)-[:CALLS]-() } THEN 0 ELSE 1 END) AS contact,
     sum(CASE WHEN EXISTS { (user)-[:IN_SEGMENT]->() } THEN 0 ELSE 1 END) AS segment
WHERE everybody > 0
UNWIND [
  ['city', city], ['gender', gender], ['birth_year', birth_year], ['arpu', arpu], ['contract_until', contract_until],
  ['bill', bill], ['handset', handset], ['app', app], ['product', product], ['channel', channel],
  ['contact', contact], ['segment', segment]
] AS one
RETURN one[0] AS fact, one[1] AS customers, 1.0 * one[1] / everybody AS share
ORDER BY customers DESC, fact
