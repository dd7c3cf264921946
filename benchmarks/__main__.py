"""Run all benchmarks (or those named) and print one line each."""

from __future__ import annotations

import os
import sys

from integration_hub import embedded, environment

DATABASE = "hub_bench"


def main() -> None:
    url = os.environ.get("DATABASE_URL") or embedded.start(environment.data_dir() / "postgres")
    os.environ["DATABASE_URL"] = prepare(url)
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
    import django  # noqa: PLC0415  settings need the database above

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    from benchmarks import (  # noqa: PLC0415
        audit,
        backlog,
        cockpit,
        documents,
        end_to_end,
        growth,
        intake,
        ledger,
        pages,
        payments,
        processing,
        stock,
    )

    call_command("migrate", verbosity=0)
    for name, run in {
        "intake": intake.run,
        "processing": processing.run,
        "end_to_end": end_to_end.run,
        "backlog": backlog.run,
        "growth": growth.run,
        "stock": stock.run,
        "payments": payments.run,
        "pages": pages.run,
        "ledger": ledger.run,
        "audit": audit.run,
        "documents": documents.run,
        "cockpit": cockpit.run,
    }.items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            run()


def prepare(url: str) -> str:
    """A new empty database beside the hub's; its address."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE} ENCODING 'UTF8' TEMPLATE template0")
    head, _slash, tail = url.rpartition("/hub")
    return f"{head}/{DATABASE}{tail}" if _slash else url


def line(name: str, figure: float, unit: str, ratio: float, goal: float) -> None:
    """The one line that ``make bench`` prints per benchmark."""
    print(f"bench {name} {figure:.1f} {unit} ratio={ratio:.2f} goal={goal}", flush=True)


if __name__ == "__main__":
    main()
