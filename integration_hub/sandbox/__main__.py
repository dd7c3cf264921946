"""``python -m integration_hub.sandbox``: play the outside world until stopped."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from .app import Sandbox


def main() -> int:
    """Run in the foreground; SIGINT and SIGTERM end it."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--state", type=Path, required=True, help="directory for the world's state")
    parser.add_argument("--hub", default="http://127.0.0.1:8000", help="where webhooks with a relative address go")
    parser.add_argument("--order-every", type=float, default=7.0, help="seconds between orders, 0: only when told")
    parser.add_argument("--seed", type=int, default=None, help="makes the orders repeatable")
    given = parser.parse_args()
    given.state.mkdir(parents=True, exist_ok=True)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Sandbox(
        port=given.port, state=given.state, hub=given.hub, order_every=given.order_every, seed=given.seed
    ) as sandbox:
        sys.stdout.write(f"sandbox at {sandbox.url}\n")
        sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
