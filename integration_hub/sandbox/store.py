"""Tables of plain records under one lock, kept in a journal so that ids survive a restart.

A record is a JSON object with an integer ``id``.  Whoever changes one puts it back; the journal is written once a
second (only what changed), so its cost follows the changes and not the size of the world.
"""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class _Index:
    """Equality index over one field, correct for records that were changed in place before they were put back."""

    def __init__(self) -> None:
        self.ids: dict[Any, set[int]] = defaultdict(set)
        self.values: dict[int, Any] = {}

    def set(self, number: int, value: Any) -> None:
        self.drop(number)
        self.values[number] = value
        self.ids[value].add(number)

    def drop(self, number: int) -> None:
        if number in self.values:
            self.ids[self.values.pop(number)].discard(number)


class Store:
    """All state of the sandbox.  Hold ``lock`` around anything that reads and then writes."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._tables: dict[str, dict[int, Record]] = defaultdict(dict)
        self._last: dict[str, int] = defaultdict(int)
        self._dirty: dict[tuple[str, int], None] = {}
        self._indexes: dict[tuple[str, str], _Index] = {}
        self._saving = threading.Lock()
        if path is not None and path.exists():
            self._load(path)
            self._compact(path)

    def start_at(self, table: str, first: int) -> None:
        """The smallest id that ``add`` gives in this table."""
        with self.lock:
            self._last[table] = max(self._last[table], first - 1)

    def index(self, table: str, name: str) -> None:
        """Answer ``where(table, name, value)`` without looking at every row."""
        with self.lock:
            found = self._indexes[table, name] = _Index()
            for number, record in self._tables[table].items():
                found.set(number, record.get(name))

    def next_id(self, table: str) -> int:
        with self.lock:
            self._last[table] += 1
            return self._last[table]

    def add(self, table: str, record: Record) -> Record:
        """Store a new record under the next id."""
        with self.lock:
            return self.put(table, {"id": self.next_id(table), **record})

    def put(self, table: str, record: Record) -> Record:
        """Store a record (new or changed) under its own id."""
        number = record["id"]
        with self.lock:
            self._tables[table][number] = record
            self._last[table] = max(self._last[table], number)
            self._dirty[table, number] = None
            for (of, name), index in self._indexes.items():
                if of == table:
                    index.set(number, record.get(name))
        return record

    def get(self, table: str, number: int) -> Record | None:
        return self._tables[table].get(number)

    def remove(self, table: str, number: int) -> None:
        with self.lock:
            self._tables[table].pop(number, None)
            self._dirty[table, number] = None
            for (of, _), index in self._indexes.items():
                if of == table:
                    index.drop(number)

    def rows(self, table: str) -> list[Record]:
        """All records in order of id."""
        with self.lock:
            return [self._tables[table][number] for number in sorted(self._tables[table])]

    def count(self, table: str) -> int:
        return len(self._tables[table])

    def indexed(self, table: str, name: str) -> bool:
        return (table, name) in self._indexes

    def where(self, table: str, name: str, value: Any) -> list[Record]:
        """The records whose indexed field equals the value, in order of id."""
        with self.lock:
            return [self._tables[table][number] for number in sorted(self._indexes[table, name].ids.get(value, ()))]

    def clear(self, table: str) -> None:
        """Forget a table's records; ids go on, so nothing old is mistaken for something new."""
        with self.lock:
            for number in list(self._tables[table]):
                self.remove(table, number)

    def save(self) -> None:
        """Append what changed since the last call; does nothing without a path."""
        if self._path is None:
            return
        with self._saving:
            with self.lock:
                lines = [self._line(table, number) for table, number in self._dirty]
                self._dirty = {}
            if lines:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write("".join(lines))

    def _line(self, table: str, number: int) -> str:
        return json.dumps({"t": table, "id": number, "r": self._tables[table].get(number)}) + "\n"

    def _load(self, path: Path) -> None:
        for entry in _entries(path):
            table, number = entry["t"], entry["id"]
            self._last[table] = max(self._last[table], number)
            if entry["r"] is None:
                self._tables[table].pop(number, None)
            else:
                self._tables[table][number] = entry["r"]

    def _compact(self, path: Path) -> None:
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            for table, last in self._last.items():
                numbers = {*self._tables[table], last} if last else set(self._tables[table])
                file.writelines(self._line(table, number) for number in sorted(numbers))
        os.replace(new, path)


def _entries(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                return  # the last line of a killed process
