"""Things that happen later: webhooks on their way, second thoughts of a customer.  A few threads over one heap."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

Job = Callable[[], object]


class Later:
    """Runs jobs at their time.  What is still waiting when the program ends is lost, like a shop's queue in memory."""

    def __init__(self, workers: int = 4) -> None:
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._closed = False
        self._running = 0
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def push(self, seconds: float, job: Job) -> None:
        with self._wake:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._order), job))
            self._wake.notify()

    def pending(self) -> int:
        """How many jobs wait or run."""
        return len(self._heap) + self._running

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._heap.clear()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        while job := self._next():
            try:
                job()
            finally:
                with self._wake:
                    self._running -= 1

    def _next(self) -> Job | None:
        with self._wake:
            while not self._closed:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    return heapq.heappop(self._heap)[2]
                self._wake.wait(wait)
        return None
