"""The customers: they order, change their minds and cancel, each at the time the plan says."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

import requests

from .outside import Outside
from .plan import Step

TROUBLE = {"place": "", "misplace": "unknown_sku"}
NOTE = "Bitte bei den Nachbarn klingeln"


class Customers(threading.Thread):
    """Runs the customers' part of the plan in its own thread."""

    def __init__(self, outside: Outside, steps: Sequence[Step]) -> None:
        super().__init__(daemon=True)
        self.placed: dict[int, tuple[str, int]] = {}
        self.noted: set[tuple[str, int]] = set()
        self.planted: set[tuple[str, int]] = set()
        self.did: Counter[str] = Counter()
        self.stopping = threading.Event()
        self._outside = outside
        self._steps = steps

    def run(self) -> None:
        began = time.monotonic()
        for step in self._steps:
            if self.stopping.wait(max(0.0, began + step.at - time.monotonic())):
                return
            self._do(step)

    def _do(self, step: Step) -> None:
        self.did[step.what] += 1
        if step.what in TROUBLE:
            self._place(step)
            return
        shop, number = self.placed[step.number]
        lever = f"{shop}/orders/{number}"
        if step.what == "note":
            field = {"woo": "customer_note", "shopify": "note"}[shop]
            self._outside.pull(lever, action="edit", changes={field: f"{NOTE} ({number})"})
            self.noted.add((shop, number))
        elif step.what == "refund_piece":
            self._refund(lever)
        else:
            self._outside.pull(lever, action=step.what)

    def _refund(self, lever: str) -> None:
        """The shop gives the money of one piece back; what nobody has paid is not refunded."""
        try:
            self._outside.pull(lever, action="refund_piece")
        except requests.HTTPError:
            self.did["refund_piece"] -= 1

    def _place(self, step: Step) -> None:
        trouble = TROUBLE[step.what]
        (number,) = self._outside.pull("orders", shop=step.whom, trouble=trouble)["ids"]
        self.placed[step.number] = (step.whom, number)
        if trouble:
            self.planted.add((step.whom, number))
