// name: at_risk
// title: Customers who may leave
// purpose: Whom to keep, and what to say: customers whom the model expects to leave in the next two periods, with the
//   reasons in words; where it has had too little history to learn from, those on the way out by their stage. Customers
//   who do not consent or have left are not listed.
// parameter decile: integer = 1 (1 to 10). In the first so many tenths by probability; who has none is in by the stage.
// parameter stage: text = "any" (any, stable, experience, circle, decision). At this stage before leaving.
// parameter limit: integer = 1000 (1 to 1000000). At most so many customers, the most likely first.
// parameter today: date = today. The day that "left" is seen from.
// column user: user. The customer's pseudonym.
// column probability: number. How likely the customer leaves in the next two periods; empty without enough history.
// column decile: integer. The tenth by probability, 1 the most likely.
// column stage: text. stable, experience (bad service), circle (fewer contacts) or decision (hardly used).
// column reasons: list of text. What speaks for it, the strongest first.
// column contract_until: date. The day the contract ends.
// column arpu: number. Average revenue per month.
// column no_contact: boolean. The customer does not want to be contacted.
MATCH (user:User)
WHERE (user.churn_decile <= $decile
       OR (user.churn_probability IS NULL AND user.churn_stage IN ['experience', 'circle', 'decision']))
  AND ($stage = 'any' OR user.churn_stage = $stage)
  AND user.consent AND NOT user.off_net AND NOT coalesce(user.kind, 'person') IN ['service', 'machine']
  AND NOT coalesce(user.left, false) AND coalesce(user.status, '') <> 'left' AND (user.left_on IS NULL OR user.left_on >= $today)
RETURN user.user AS user, user.churn_probability AS probability, user.churn_decile AS decile, user.churn_stage AS stage,
       user.churn_reasons_words AS reasons, user.contract_until AS contract_until, user.arpu AS arpu,
       coalesce(user.no_contact, false) AS no_contact
ORDER BY coalesce(probability, -1.0) DESC,
         CASE stage WHEN 'decision' THEN 0 WHEN 'circle' THEN 1 WHEN 'experience' THEN 2 ELSE 3 END, user
LIMIT $limit
