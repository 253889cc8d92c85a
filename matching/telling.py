"""What is said of items to one customer: of each the sentence of `matching.reasons`, and the path that it stands on.

A path is nodes and edges in turn. A node is `{"node": label, "key": key}`, or `{"node": label, "count": x}` where it
stands for x nodes; an edge is `{"edge": type, ...properties}`. Each lies in the graph as written; direction is the
graph's own. All is written as JSON at once: what a match says is most of what it costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from lake.pseudonyms import text_of
from matching.evidence import CATEGORY, CONTACTS, HANDSET, NOTHING, UNUSED, Fact
from matching.reasons import SENTENCES
from matching.state import Kind, MatchState
from matching.texts import IN_CATEGORY, node, tenth

USES = {"app": '{"edge":"USES_APP"}', "offer": '{"edge":"SUBSCRIBES"}'}
SAY = {of: sentence.format for of, sentence in SENTENCES.items()}


def tell(
    state: MatchState, kind: Kind, user: str | None, position: int, items: Sequence[int], facts: Sequence[Fact]
) -> list[str]:
    """The fields `reason`, `script` and `path` of each item, by its evidence; `user` is the pseudonym, in text, of who
    is at `position`."""
    texts, of = state.texts, _Telling(state, kind, user, position)
    told = []
    for item, fact in zip(items, facts, strict=True):
        if kind == "app":
            said, path = of(item, fact)
            told.append(f'"reason":"{said}","script":null,"path":[{path}]')
            continue
        said, path = of(texts.offer_product[item], fact)
        own = texts.offer_reasons[item]
        if own is not None:
            said = own if fact[0] in (NOTHING, UNUSED) else f"{own.rstrip(' .;')}; {said}"
        offer = node("Offer", texts.offer_ids[item])
        told.append(f'"reason":"{said}","script":{texts.offer_scripts[item]},"path":[{path},{{"edge":"OF"}},{offer}]')
    return told


class _Telling:
    """The sentence on an app, or on the product that an offer is of, and the steps to it, both without their ends."""

    def __init__(self, state: MatchState, kind: Kind, user: str | None, position: int) -> None:
        self._state, self._kind, self._position = state, kind, position
        self._things = state.texts.apps if kind == "app" else state.texts.products
        self._me, self._uses = node("User", user or ""), USES[kind]
        self._words, self._steps = state.texts.category_words, state.texts.category_steps

    def __call__(self, thing: int, fact: Fact) -> tuple[str, str]:
        evidence, x, y, other, lift = fact
        things, me, uses, words, steps = self._things, self._me, self._uses, self._words, self._steps
        say, name, end = SAY[self._kind, evidence], things.names[thing], things.nodes[thing]
        if evidence == NOTHING:
            return say(share=things.share[thing], name=name), f"{things.users[thing]},{uses},{end}"
        if evidence == UNUSED:
            return say(name=name), end
        if evidence == CATEGORY:
            place = things.category[thing]
            said = say(other=things.names[other], category=words[place], lift=tenth(round(lift * 10)), name=name)
            return said, f"{me},{uses},{things.nodes[other]},{IN_CATEGORY},{steps[place]}{end}"
        if evidence == CONTACTS:
            who = node("User", text_of(bytes(self._state.customers.users[other])))
            return say(x=x, y=y, name=name), f'{me},{{"edge":"CALLS","count":{x},"of":{y}}},{who},{uses},{end}'
        texts, ties = self._state.texts, self._state.ties(self._kind)
        if evidence == HANDSET:
            phone = int(ties.handset[self._position])
            owners = f'{{"edge":"USES_HANDSET","count":{y}}},{{"node":"User","count":{x}}}'
            path = f'{me},{{"edge":"USES_HANDSET"}},{node("Handset", texts.handset_ids[phone])},{owners},{uses},{end}'
            return say(x=x, y=y, handset=texts.handset_names[phone], name=name), path
        segment = int(ties.segment[self._position])
        place = things.category[thing] if ties.fit_category[segment, thing] else -1
        fits, into = (words[place], steps[place]) if place >= 0 else (name, "")
        within = f'{{"edge":"IN_SEGMENT"}},{node("Segment", texts.segments[segment])}'
        said = say(fits=fits, lift=tenth(round(lift * 10)))
        return said, f'{me},{within},{{"edge":"FITS","lift":{round(lift, 2)}}},{into}{end}'
