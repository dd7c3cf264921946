"""The rows of an order as a bare psycopg loop writes them: the yardstick of processing and of end to end."""

from __future__ import annotations

from typing import Any

BARE_TABLES = """
CREATE TABLE IF NOT EXISTS bare_order (id bigserial PRIMARY KEY, number text UNIQUE, total numeric(19,4), body jsonb);
CREATE TABLE IF NOT EXISTS bare_line (id bigserial PRIMARY KEY, order_id bigint REFERENCES bare_order, title text, net numeric(19,4));
CREATE TABLE IF NOT EXISTS bare_address (id bigserial PRIMARY KEY, order_id bigint REFERENCES bare_order, role text, city text);
CREATE TABLE IF NOT EXISTS bare_customer (id bigserial PRIMARY KEY, email text UNIQUE);
CREATE TABLE IF NOT EXISTS bare_step (id bigserial PRIMARY KEY, order_id bigint, text text);
CREATE TABLE IF NOT EXISTS bare_out (id bigserial PRIMARY KEY, key text UNIQUE, order_id bigint);
"""


def write_bare(raw: Any, found: dict[str, Any], body: bytes) -> int:
    """The rows of one order; its id."""
    text = body.decode()
    row = raw.execute(
        "INSERT INTO bare_order (number, total, body) VALUES (%s, %s, %s) RETURNING id",
        [found["number"], found["total"], text],
    ).fetchone()
    for line in (*found["line_items"], *found["shipping_lines"]):
        raw.execute(
            "INSERT INTO bare_line (order_id, title, net) VALUES (%s, %s, %s)",
            [row[0], line.get("name") or line.get("method_title"), line["total"]],
        )
    for role in ("billing", "shipping"):
        raw.execute(
            "INSERT INTO bare_address (order_id, role, city) VALUES (%s, %s, %s)", [row[0], role, found[role]["city"]]
        )
    raw.execute("INSERT INTO bare_customer (email) VALUES (%s)", [found["billing"]["email"]])
    for step in ("reported", "accepted"):
        raw.execute("INSERT INTO bare_step (order_id, text) VALUES (%s, %s)", [row[0], step])
    raw.execute("INSERT INTO bare_out (key, order_id) VALUES (%s, %s)", [f"sale:{row[0]}", row[0]])
    return int(row[0])
