// name: periods
// title: The periods of calls that the graph holds
// purpose: Whether a month is missing or thin: ties, calls and messages by period.
// column period: text. The period.
// column ties: integer. Pairs of numbers in contact.
// column calls: integer. Calls between them.
// column messages: integer. Messages between them.
MATCH (:User)-[ties:CALLS]->(:User)
RETURN ties.period AS period, count(ties) AS ties,
       sum(coalesce(ties.calls_out, 0) + coalesce(ties.calls_in, 0)) AS calls,
       sum(coalesce(ties.messages_out, 0) + coalesce(ties.messages_in, 0)) AS messages
ORDER BY period
