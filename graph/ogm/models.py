"""The labels of the dumbbell as classes, with their properties and edges."""

from __future__ import annotations

from py2neo.ogm import Property

from graph.ogm.node import Against, Along, Either, Node


class User(Node):
    """A customer, or another network's number (`off_net`). `calls` are both those called and those who called."""

    __primarykey__ = "user"

    user = Property()
    off_net = Property()
    activated_on = Property()
    left_on = Property()
    status = Property()
    kind = Property()
    account = Property()
    birth_year = Property()
    gender = Property()
    income_band = Property()
    city = Property()
    brand = Property()
    star = Property()
    arpu = Property()
    contract_until = Property()
    sim = Property()
    person = Property()
    consent = Property()
    no_contact = Property()
    left = Property()

    uses_handset = Along("Handset", "USES_HANDSET")
    uses_app = Along("App", "USES_APP")
    subscribes = Along("Product", "SUBSCRIBES")
    reached_by = Along("Channel", "REACHED_BY")
    responded = Along("Offer", "RESPONDED")
    responded_app = Along("App", "RESPONDED")
    calls = Either("User", "CALLS")
    tagged = Along("Tag", "TAGGED")
    in_segment = Along("Segment", "IN_SEGMENT")
    held_by = Along("Person", "HELD_BY")
    works_near = Along("Cell", "WORKS_NEAR")
    rests_near = Along("Cell", "RESTS_NEAR")
    same_as = Either("User", "SAME_AS")


class Handset(Node):
    """A model of handset."""

    __primarykey__ = "handset"

    handset = Property()
    brand = Property()
    model = Property()
    os = Property()
    os_version = Property()
    network = Property()
    screen_inches = Property()
    price = Property()
    released_on = Property()

    users = Against("User", "USES_HANDSET")


class App(Node):
    """An app."""

    __primarykey__ = "app"

    app = Property()
    name = Property()
    category = Property()
    subcategory = Property()
    publisher = Property()
    os = Property()
    own = Property()
    price = Property()

    in_category = Along("Category", "IN_CATEGORY")
    tagged = Along("Tag", "TAGGED")
    users = Against("User", "USES_APP")
    answers = Against("User", "RESPONDED")
    segments = Against("Segment", "FITS")


class Product(Node):
    """A plan, pack, service or contract."""

    __primarykey__ = "product"

    product = Property()
    name = Property()
    kind = Property()
    monthly_fee = Property()
    minutes = Property()
    mb = Property()
    messages = Property()
    extra_minute = Property()
    extra_mb = Property()
    extra_message = Property()
    valid_days = Property()
    contract_months = Property()
    needs_network = Property()
    needs_os = Property()

    in_category = Along("Category", "IN_CATEGORY")
    excludes = Along("Product", "EXCLUDES")
    users = Against("User", "SUBSCRIBES")
    offers = Against("Offer", "OF")
    segments = Against("Segment", "FITS")


class Offer(Node):
    """What may be offered."""

    __primarykey__ = "offer"

    offer = Property()
    product = Property()
    title = Property()
    script = Property()
    reason = Property()
    channels = Property()
    starts_on = Property()
    ends_on = Property()
    priority = Property()
    value = Property()
    audience = Property()

    of = Along("Product", "OF")
    through = Along("Channel", "THROUGH")
    answers = Against("User", "RESPONDED")
    suggested_by = Against("Answer", "SUGGESTS")


class Channel(Node):
    """A way to reach a customer."""

    __primarykey__ = "channel"

    channel = Property()
    name = Property()
    kind = Property()
    daily_capacity = Property()
    unit_cost = Property()

    users = Against("User", "REACHED_BY")
    offers = Against("Offer", "THROUGH")


class Segment(Node):
    """Customers alike: one end of the dumbbell."""

    __primarykey__ = "segment"

    segment = Property()

    fits_category = Along("Category", "FITS")
    fits_app = Along("App", "FITS")
    fits_product = Along("Product", "FITS")
    users = Against("User", "IN_SEGMENT")


class Category(Node):
    """Apps or products alike: the other end."""

    __primarykey__ = "category"

    category = Property()

    apps = Against("App", "IN_CATEGORY")
    products = Against("Product", "IN_CATEGORY")
    segments = Against("Segment", "FITS")


class Tag(Node):
    """A word for what customers are interested in, or apps are about."""

    __primarykey__ = "tag"

    tag = Property()
    kinds = Property()

    users = Against("User", "TAGGED")
    apps = Against("App", "TAGGED")
    replies = Against("Answer", "TAGGED")


class Question(Node):
    """A question to customers."""

    __primarykey__ = "question"

    question = Property()

    has = Along("Answer", "HAS")


class Answer(Node):
    """One of the answers to a question; its key names both."""

    __primarykey__ = "answer"

    answer = Property()
    name = Property()
    question = Property()
    text = Property()

    questions = Against("Question", "HAS")
    tagged = Along("Tag", "TAGGED")
    suggests = Along("Offer", "SUGGESTS")


class Cell(Node):
    """A radio cell."""

    __primarykey__ = "cell"

    cell = Property()
    lat = Property()
    lon = Property()

    nearest = Along("Store", "NEAREST")
    workers = Against("User", "WORKS_NEAR")
    sleepers = Against("User", "RESTS_NEAR")


class Store(Node):
    """A shop of the operator."""

    __primarykey__ = "store"

    store = Property()
    name = Property()
    lat = Property()
    lon = Property()

    cells = Against("Cell", "NEAREST")


class Person(Node):
    """A natural person behind numbers."""

    __primarykey__ = "person"

    person = Property()

    users = Against("User", "HELD_BY")


CLASSES: tuple[type[Node], ...] = (
    User,
    Handset,
    App,
    Product,
    Offer,
    Channel,
    Segment,
    Category,
    Tag,
    Question,
    Answer,
    Cell,
    Store,
    Person,
)
