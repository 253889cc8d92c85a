// name: channel_load
// title: How full the channels are
// purpose: Contacts through each channel against what it can take in a day. Whoever was contacted counts.
// parameter days: integer = 30 (1 to 3650). Contacts within so many days before today.
// parameter today: date = today. The day to count from.
// column channel: text. The channel.
// column name: text. Its name.
// column capacity: integer. Contacts it can take in a day; empty where there is no limit.
// column contacts: integer. Contacts in these days: whatever was shown, accepted, refused or ignored.
// column per_day: number. Contacts a day.
// column busiest: integer. Contacts on the busiest of these days.
// column load: number. The busiest day divided by the capacity.
OPTIONAL MATCH (:User)-[answer:RESPONDED]->()
WHERE date(answer.at) > $today - duration({days: $days}) AND date(answer.at) <= $today
WITH answer.channel AS through, date(answer.at) AS day, count(answer) AS contacts
WITH through, sum(contacts) AS contacts, max(contacts) AS busiest
WITH collect({through: through, contacts: contacts, busiest: busiest}) AS loads
MATCH (channel:Channel)
WITH channel, [one IN loads WHERE one.through = channel.channel][0] AS load
RETURN channel.channel AS channel, channel.name AS name, channel.daily_capacity AS capacity,
       coalesce(load.contacts, 0) AS contacts, 1.0 * coalesce(load.contacts, 0) / $days AS per_day,
       coalesce(load.busiest, 0) AS busiest, 1.0 * coalesce(load.busiest, 0) / channel.daily_capacity AS load
ORDER BY coalesce(load, 0.0) DESC, contacts DESC, channel
