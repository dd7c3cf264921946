"""German is complete: every sentence has its translation, gaps agree, and pages show no English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser

import polib
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.reloader import translation_file_changed

from exceptions.models import ExceptionCase
from integration_hub.backoffice.words import words
from integration_hub.connectors import registry
from integration_hub.kernel.money import Money
from integration_hub.kernel.text import say
from integration_hub.management.commands import messages
from integration_hub.models import Connection, InboundEvent, OutboundCommand, User
from orders.models import Order
from tests import standin
from tests.dashboards.filled import fill

# names, codes, units and sentences of gaps alone: the same in both languages
SAME = frozenset(
    """API BIC ERP GTIN SKU Integration Marketing Name Person Region Start System Team Test Webhook Webhooks optional""".split()
) | {
    "Integration Hub",
    "%(error)s",
    "%(why)s",
    "%(count)s h",
    "%(count)s min",
    "Bank",
    "IBAN",
    "XRechnung 3.0",
    "Microsoft Teams",
    "Slack",
    "Token",
    "Form",
    "normal",
    "min",
    "%(what)s in %(target)s",
    "BY, NW, BE …",
    "Export",
    "Export %(what)s",
    "Median",
    "Text",
    "PayPal, Developer Dashboard, Apps & Credentials.",
}
GAP = re.compile(r"%\(\w+\)\w|%%|%[sd]|\{\w*\}|<[^>]+>")
# what stays as it is on a German page: the other language's name; a word that is German too
OTHERS = frozenset(["English", "Filter"])
ROLES = ("administrator", "finance", "operations", "marketing", "integrator", "auditor")
# English words that are no German ones; what is said on a page is looked at without codes and payloads
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|not|for|to|with|from|by|no|add|save|delete|search|select|view|change|history|your|you|yes|"
    r"results?|show|close|open|any|loading|copy|sale|state|reason)\b"
)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    messages.compile_all()
    translation_file_changed(
        None, messages.path_of("de").with_suffix(".mo")
    )  # an earlier test may have read an older one


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    return messages.catalogue("de")


def _said(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_german_is_complete(german: polib.POFile) -> None:
    assert messages.missing(german, messages.sentences()) == []


def test_nothing_is_doubtful(german: polib.POFile) -> None:
    assert [entry.msgid for entry in german if "fuzzy" in entry.flags] == []


def test_plurals_have_both_forms(german: polib.POFile) -> None:
    assert [
        e.msgid for e in german if e.msgid_plural and (sorted(e.msgstr_plural) != [0, 1] or not all(_said(e)))
    ] == []


def test_gaps_agree(german: polib.POFile) -> None:
    differing = [
        (entry.msgid, said)
        for entry in german
        for said in _said(entry)
        if sorted(GAP.findall(entry.msgid)) != sorted(GAP.findall(said))
    ]
    assert differing == []


def test_nothing_is_left_in_english(german: polib.POFile) -> None:
    alike = {entry.msgid for entry in german if entry.msgid in _said(entry)}
    assert {msgid for msgid in alike - SAME if re.search("[a-z]", GAP.sub("", msgid), re.IGNORECASE)} == set()


def test_sentences_end_alike(german: polib.POFile) -> None:
    ends = [(e.msgid, s) for e in german for s in _said(e) if e.msgid.endswith(".") != s.endswith(".")]
    assert [pair for pair in ends if pair[0] != "VAT id" and not pair[0].endswith("...")] == []


def test_people_are_addressed_formally(german: polib.POFile) -> None:
    informal = re.compile(r"\b([Dd]u|[Dd]ein\w*|[Dd]ich|[Dd]ir)\b")
    assert [said for entry in german for said in _said(entry) if informal.search(said)] == []


def test_what_nobody_says_is_found_missing() -> None:
    po = polib.POFile()
    po.append(polib.POEntry(msgid="Orders", msgstr="Aufträge"))
    po.append(polib.POEntry(msgid="Events", msgstr=""))
    po.append(polib.POEntry(msgid="Team", msgstr="Team", flags=["fuzzy"]))
    found: messages.Found = {
        ("", "Orders"): ("", []),
        ("", "Events"): ("", []),
        ("", "Team"): ("", []),
        ("", "New"): ("", []),
    }
    assert messages.missing(po, found) == ["Events", "New", "Team"]


def test_every_way_to_say_something_is_found() -> None:
    found = messages.sentences()
    assert ("", "German") in found, "gettext_lazy in the settings"
    assert ("", "older than what the hub holds") in found, "mark"
    assert ("", "%(system)s cannot be polled.") in found, "say"
    assert ("", "%(name)s is missing") in found, "unreadable"
    assert ("command", "cancelled") in found, "pgettext_lazy"
    assert ("key", "open") in found, "a template's translate with a context"
    assert found["", "%(n)s event"][0] == "%(n)s events", "a template's blocktranslate with a plural"
    assert ("", "well,wrong") in found, "a template's _() in a filter"
    assert ("", "Type to search") in found, "unfold"


def test_amounts_days_and_sentences_inside_a_sentence() -> None:
    stored = say(
        "%(system)s cannot be polled. %(total)s %(list)s",
        system="Own system (API)",
        total=Money(Decimal("1234.5"), "EUR"),
        list=[say("address or note"), "Teekanne"],
    ).as_json()
    with translation.override("de"):
        assert words(stored | {"msgid": "%(system)s: %(total)s (%(list)s)"}) == (
            "Eigenes System (API): 1.234,50\xa0€ (Adresse oder Nachricht; Teekanne)"
        )
    with translation.override("en"):
        assert words(stored | {"msgid": "%(total)s"}) == "€1,234.50"


class _Seen(HTMLParser):
    """What a person reads or hears of a page; not icons, code, payloads or what another system said."""

    SILENT = ("script", "style", "pre", "code", "svg", "template", "option")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        marks = given.get("class") or ""
        if tag in self.SILENT or "material-symbols" in marks or "hub-mono" in marks or "hub-pre" in marks:
            self._silent.append(tag)
        spoken = (given.get(name) for name in ("title", "aria-label", "placeholder", "data-done"))
        self.texts += [text for text in spoken if text]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._silent:
            self.texts.append(" ".join(data.split()))


def _addresses() -> Iterator[str]:
    names = ("orders", "completeness", "connections", "connection_new", "events", "commands", "activity", "tokens")
    yield from (reverse(name) for name in names)
    yield from (reverse("exceptions") + f"?tab={tab}" for tab in ("mine", "team", "all", "auto", "closed"))
    rows = {"order": Order, "connection": Connection, "event": InboundEvent, "command": OutboundCommand}
    for name, model in (rows | {"exception": ExceptionCase, "connection_edit": Connection}).items():
        yield from (reverse(name, args=[pk]) for pk in model._default_manager.values_list("pk", flat=True))
    for app, what in (("customers", "customer"), ("inventory", "variant"), ("integration_hub", "user")):
        yield reverse(f"admin:{app}_{what}_changelist")
        yield reverse(f"admin:{app}_{what}_changelist") + "?q=nobody"
    yield reverse("admin:integration_hub_user_change", args=[User.objects.values_list("pk", flat=True)[0]])
    yield reverse("admin:integration_hub_user_add")
    yield reverse("admin:password_change")
    yield from ("/", "/nowhere/")


def _seen(client: Client, address: str) -> list[str]:
    page = _Seen()
    page.feed(client.get(address, follow=True).content.decode())
    return page.texts


def _played() -> set[str]:
    """What systems of the tests are called; which of them there are depends on what other tests have imported."""
    return {connector.label for connector in registry().values() if connector.__module__.startswith("tests.")}


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_no_page_speaks_english(
    role: str,
    german: polib.POFile,
    person: Callable[..., User],
    joined: Connection,
    erp: Connection,
    world: standin.World,
) -> None:
    fill(joined, erp, world)
    client = Client()
    client.force_login(person(role, "erika"))
    english = {entry.msgid for entry in german if entry.msgid not in _said(entry)}
    names = OTHERS | _played()
    found: dict[str, str] = {
        text: address
        for address in _addresses()
        for text in _seen(client, address)
        if (text in english or ENGLISH.search(text)) and text not in names
    }
    assert found == {}


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/logout/"])
@pytest.mark.django_db
def test_the_door_speaks_german(address: str) -> None:
    texts = _seen(Client(), address)
    assert texts
    assert [text for text in texts if ENGLISH.search(text) and text != "English"] == []
