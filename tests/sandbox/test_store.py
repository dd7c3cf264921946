"""Records survive a restart with their ids, even where the program was killed in the middle of a line."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from integration_hub.sandbox.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "world.jsonl"


def test_records_and_ids_survive(path: Path) -> None:
    store = Store(path)
    store.start_at("orders", 1000)
    first, second = store.add("orders", {"name": "Größe"}), store.add("orders", {"name": "b"})
    second["name"] = "c"
    store.put("orders", second)
    store.save()
    again = Store(path)
    assert again.rows("orders") == [first, {"id": 1001, "name": "c"}]
    assert again.add("orders", {})["id"] == 1002


def test_what_was_removed_stays_removed_and_its_id_unused(path: Path) -> None:
    store = Store(path)
    store.add("orders", {})
    store.save()
    store.remove("orders", 1)
    store.save()
    for _ in range(2):
        again = Store(path)
        assert again.rows("orders") == []
        assert again.next_id("orders") == 2


def test_half_a_line_is_forgotten_and_the_rest_is_kept(path: Path) -> None:
    store = Store(path)
    store.add("orders", {"n": 1})
    store.save()
    with path.open("a") as file:
        file.write('{"t": "orders", "id": 2, "r": {"n"')
    again = Store(path)
    assert [row["n"] for row in again.rows("orders")] == [1]
    again.add("orders", {"n": 3})
    again.save()
    assert [row["n"] for row in Store(path).rows("orders")] == [1, 3]


def test_a_start_makes_the_journal_short(path: Path) -> None:
    store = Store(path)
    row = store.add("orders", {"n": 0})
    for number in range(50):
        store.put("orders", {**row, "n": number})
        store.save()
    assert len(path.read_text().splitlines()) == 50
    assert Store(path).rows("orders") == [{"id": 1, "n": 49}]
    assert len(path.read_text().splitlines()) == 1


def test_an_index_follows_changes_in_place(path: Path) -> None:
    store = Store(path)
    store.add("orders", {"state": "open"})
    store.index("orders", "state")
    row = store.where("orders", "state", "open")[0]
    row["state"] = "done"
    store.put("orders", row)
    assert store.where("orders", "state", "open") == []
    assert store.where("orders", "state", "done") == [row]
    store.remove("orders", 1)
    assert store.where("orders", "state", "done") == []


def test_many_threads_get_different_ids() -> None:
    store = Store()
    threads = [threading.Thread(target=lambda: [store.add("orders", {}) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row["id"] for row in store.rows("orders")] == list(range(1, 1601))
