"""Which nodes the lake asks for, without a server."""

from pathlib import Path

import pyarrow as pa

from graph.nodes import BILL, customers
from lake.tables import Lake
from loaders.feeds import FEEDS

A, B, C = (bytes([n]) * 16 for n in (1, 2, 3))


def test_the_latest_bill_is_on_the_customer(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write("customers", pa.table({"off_net": [True, False, False], "user": pa.array([C, A, B], pa.binary())}))
    assert customers(lake).column_names == ["user", "off_net"]
    bills = {
        "user": [B, A, A],
        "month": ["2026-06", "2026-05", "2026-06"],
        "mb": [7.5, 100.0, None],
        "complaints": [0, 3, 1],
    }
    table = pa.table(bills)
    wanted = FEEDS["bills"].schema
    lake.write(
        "bills", pa.table({n: table[n] if n in bills else pa.nulls(3, wanted.field(n).type) for n in wanted.names})
    )
    found = customers(lake)
    assert found.column_names == ["user", "off_net", *(f"bill_{name}" for name in BILL)]
    assert found.select(["user", "bill_month", "bill_mb", "bill_complaints"]).to_pylist() == [
        {"user": A, "bill_month": "2026-06", "bill_mb": None, "bill_complaints": 1},
        {"user": B, "bill_month": "2026-06", "bill_mb": 7.5, "bill_complaints": 0},
        {"user": C, "bill_month": None, "bill_mb": None, "bill_complaints": None},
    ]
