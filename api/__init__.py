"""The HTTP API: match, responses, decisions, templates, influence and one customer's view.

`app.create_app(home, settings, store)` builds it, `server.serve(...)` runs it. It holds no logic of
its own: routes check what comes in, call a room, and answer. No torch is imported here.
"""
