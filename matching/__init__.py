"""Matching: who gets what, through which channel, and why.

What other rooms call, and what stays stable:

- `matching.state.MatchState.load(home, settings, lake, snapshot, *, today=None) -> MatchState`: everything a decision
  needs, as arrays. Load it again when the lake, the snapshot or the day changes (`state.today`, `state.snapshot_id`).
- `matching.answered.Answered.of(table)`: what customers answered since, in memory, where `table` is `Answers.all()`.
  `answered.add(user, kind, item, outcome, at, decision, channel)` puts an answer in force at once,
  `answered.take(table)` those of a table; `Answers.since(moment)` gives what other workers recorded.
- `matching.decision.MatchRequest(user=None|16 bytes, kind="app"|"offer", k=10, channel=None, slots=None,
  context_used=())` and `matching.match.match(state, request, answered=None, …) -> Decision`; with
  `explore=matching.explore.Explore(share)` the first offer is now and then left to chance. `Decision.to_json()` is
  the answer of `POST /match`, `Decision.trace()` what `GET /decisions/{id}` shows.
- `matching.decisions.Decisions(home)`: `.record(decision)` before answering, `.get(id)`, `.prune(today)`.
- `matching.answers.Answers(store)`: `.record(user=, kind=, item=, channel=, outcome=, at=, decision=, key=) -> dict`
  (idempotent by `key`), `.of_user(user)`, `.all()`, `.since(moment)`, and `copy_to_lake(store, lake)`.
- `matching.batch.match_all(state, kind, k, users=None, answered=None) -> pa.Table` and
  `matching.batch.write_matches(path, state, kind, k, users=None, answered=None, sharing=None) -> int`, which writes one
  Parquet file and nothing else, and says in `sharing` how channels were shared out. `answered` is an `Answered`, or the
  table that `Answers.all()` gives.
- `matching.evaluate.evaluate(lake, state, shown, closed) -> dict`: what a state's choice of offers would have been
  answered on showings that came later (`matching.logged.read_shown`, `read_closed`).

Errors: `BadValue` (k < 1, an unknown kind, an outcome that is none), `UnknownName` (a channel, user, item or decision
that does not exist), `NotReady` (no load, no snapshot). No torch is imported here.
"""
