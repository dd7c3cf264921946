"""A worker that dies at the worst moment, as by kill -9: ``python -m tests.concurrency.doomed <moment> <file>``.

``written``: between the ERP's answer and our commit.  ``parsing``: in the middle of an event.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import django

KILLED = 9


def main(moment: str, ledger: Path) -> None:
    django.setup()
    # models must be ready before these are imported
    from integration_hub.messaging import inbox, outbox  # noqa: PLC0415
    from tests import standin  # noqa: PLC0415

    def die(*_arguments: Any) -> NoReturn:
        with ledger.open("a") as file:
            file.write(f"{moment} {getattr(_arguments[0], 'reference', '')}\n")
        os._exit(KILLED)

    if moment == "written":
        standin.WORLD.after = die
        outbox.deliver()
    else:
        standin.StandinShop.parse = die  # type: ignore[method-assign, assignment]
        inbox.process()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
