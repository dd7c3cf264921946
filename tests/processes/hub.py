"""``manage.py`` with the stand-in systems: ``python tests/processes/hub.py worker``.

What the ERP of the stand-in is asked to write is a line in STANDIN_LEDGER, so that several processes share one outside
world.  STANDIN_DELAY: seconds that a write takes.  STANDIN_SKEW: seconds by which this host's clock is wrong.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import django
import time_machine
from django.core.management import execute_from_command_line

LEDGER = Path(os.environ.get("STANDIN_LEDGER", os.devnull))
DELAY = float(os.environ.get("STANDIN_DELAY", "0"))
SKEW = float(os.environ.get("STANDIN_SKEW", "0"))


def outside() -> None:
    """Let the stand-in ERP keep its books in a file, where every process sees them."""
    # connectors can be imported once Django is set up
    from integration_hub.kernel.messages import Command, WriteSale, Written  # noqa: PLC0415
    from tests import standin  # noqa: PLC0415

    def send(self: standin.StandinErp, command: Command) -> Written:
        assert isinstance(command, WriteSale)
        time.sleep(DELAY)
        with LEDGER.open("a") as file:
            file.write(command.reference + "\n")
        return self._written(command, was_there=False)

    def find(self: standin.StandinErp, command: Command) -> Written | None:
        assert isinstance(command, WriteSale)
        held = command.reference in LEDGER.read_text().split()
        return self._written(command, was_there=True) if held else None

    standin.StandinErp.send = send  # type: ignore[method-assign]
    standin.StandinErp.find = find  # type: ignore[method-assign]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_hub.settings")
    if SKEW:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=SKEW), tick=True).start()
    django.setup()
    outside()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
