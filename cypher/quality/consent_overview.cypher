// name: consent_overview
// title: Who may be listed and contacted
// purpose: How many customers consent, and how many of them want no contact. Everybody with the operator counts.
// parameter today: date = today. The day that "left" is seen from.
// column consent: boolean. Consents.
// column no_contact: boolean. Does not want to be contacted.
// column gone: boolean. Has left.
// column customers: integer. How many.
// column share: number. Their share of all who are or were customers.
MATCH (user:User)
WHERE NOT user.off_net
WITH coalesce(user.consent, false) AS consent, coalesce(user.no_contact, false) AS no_contact,
     coalesce(user.left, false) OR coalesce(user.status, '') = 'left' OR coalesce(user.left_on < $today, false) AS gone,
     count(user) AS customers
WITH collect({consent: consent, no_contact: no_contact, gone: gone, customers: customers}) AS groups,
     sum(customers) AS everybody
UNWIND groups AS one
RETURN one.consent AS consent, one.no_contact AS no_contact, one.gone AS gone, one.customers AS customers,
       1.0 * one.customers / everybody AS share
ORDER BY consent DESC, no_contact, gone
