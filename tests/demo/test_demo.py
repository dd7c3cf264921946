"""``make demo`` as its users meet it: first page, login, trouble to look at, Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from .programs import Program, environment, free_port, started
from .test_worker import own_database

FIRST_PAGE = 90
STOPPED = 25
BUILT = 600  # two hundred orders; a minute where nothing else runs, several beside other tests


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder with a short path: PostgreSQL's socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="demo") as made:
        yield Path(made)


class Visitor:
    """A browser without eyes."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.session = requests.Session()

    def page(self, path: str) -> requests.Response | None:
        try:
            return self.session.get(f"{self.address}{path}", timeout=20)
        except requests.ConnectionError:
            return None

    def is_open(self) -> bool:
        found = self.page("/")
        return found is not None and found.status_code == 200

    def log_in(self, name: str, password: str) -> None:
        self.page("/admin/login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
        answer = self.session.post(f"{self.address}/admin/login/?next=/exceptions/", data=form, timeout=20)
        assert (answer.status_code, answer.url) == (200, f"{self.address}/exceptions/")

    def cases(self) -> set[str]:
        """The exceptions that the list shows."""
        found = self.page("/exceptions/")
        return set(re.findall(r'href="/exceptions/(\d+)/', found.text)) if found and found.ok else set()


def assert_ends(program: Program) -> None:
    assert program.stop(signal.SIGINT, STOPPED) == 0
    assert program.said().rstrip().endswith("stopped")
    assert "Traceback" not in program.said()
    assert program.left() == []


def test_ctrl_c_while_the_world_is_being_built(folder: Path) -> None:
    port = free_port()
    given = environment(folder, PORT=str(port))
    with started("demo", output=folder / "first.out", given=given) as demo:
        demo.until(Visitor(f"http://127.0.0.1:{port}").is_open, FIRST_PAGE, "the first page")
        assert_ends(demo)


def test_from_the_first_page_to_the_exceptions_and_out(folder: Path) -> None:
    port = free_port()
    visitor = Visitor(f"http://127.0.0.1:{port}")
    with started("demo", output=folder / "second.out", given=environment(folder, PORT=str(port))) as demo:
        demo.until(visitor.is_open, FIRST_PAGE, "the first page")
        demo.until(lambda: "administrator" in demo.said(), 10, "the logins")
        printed = re.search(r"^ *(operations) +(\S+)$", demo.said(), re.MULTILINE)
        assert printed
        visitor.log_in(*printed.groups())
        demo.until(lambda: len(visitor.cases()) >= 5, BUILT, "the exceptions")
        assert_ends(demo)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with own_database("hub_port_taken") as url:
            given = environment(tmp_path, PORT=str(port), DATABASE_URL=url)
            with started("demo", output=tmp_path / "out", given=given) as demo:
                assert demo.process.wait(60) != 0
                assert f"port {port} is taken; choose another" in demo.said()
                assert "Traceback" not in demo.said()
                assert demo.left() == []
