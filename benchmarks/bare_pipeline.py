"""The yardstick of end to end: a bare view that stores, and threads that write the same rows and make the same two calls.

``python -m benchmarks.bare_pipeline URL`` works until it is stopped.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import psycopg
import requests

from benchmarks.bare_rows import write_bare

THREADS = 4
_TAKE = """UPDATE bare_event SET topic = 'done' WHERE id = (
  SELECT id FROM bare_event WHERE topic <> 'done' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING body"""


def work(url: str) -> None:
    """One event after the other: rows, ERP, its answer, shop."""
    session = requests.Session()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as raw:
        while True:
            with raw.transaction():
                row = raw.execute(_TAKE).fetchone()
                if row:
                    number = write_bare(raw, json.loads(row[0]), row[0])
            if not row:
                time.sleep(0.02)
                continue
            session.post(f"{url}/sales", data=row[0], timeout=10).raise_for_status()
            raw.execute("UPDATE bare_out SET key = key || ':done' WHERE order_id = %s", [number])
            session.post(f"{url}/status", json={"order": number}, timeout=10).raise_for_status()
            raw.execute("INSERT INTO bare_step (order_id, text) VALUES (%s, 'told')", [number])


if __name__ == "__main__":
    for _thread in range(THREADS):
        threading.Thread(target=work, args=(sys.argv[1],), daemon=True).start()
    threading.Event().wait()
