"""What the procedural documentation says, read from the configuration as it is in force.

GoBD marginal numbers 151 to 155: a general description, one for users, one of the technical system and one of its operation.
Chapters are made in the language that is active; every one is text and a table, so that two versions can be compared.
"""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import django
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection as database
from django.utils.translation import gettext as _

from exceptions import kinds
from integration_hub.backoffice import invariants
from integration_hub.backoffice.words import words
from integration_hub.messaging import schedules, switches
from integration_hub.models import Activity, Connection, ProcessSwitch

from ..models import (
    AccountRule,
    Choice,
    GoodsTax,
    IssuingRule,
    MappingVersion,
    NumberRange,
    Seller,
    TaxRate,
    VoidNumber,
)
from . import choices
from .retention import PERIODS

CHANGES = 500


@dataclass(frozen=True)
class Chapter:
    """A heading, its text, and a table; all as plain words."""

    code: str
    title: str
    paragraphs: list[str]
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def chapters() -> list[Chapter]:
    """All of them, in the order in which they are read."""
    return [make() for make in _MAKERS]


def _text(value: Any) -> str:
    """A cell: yes and no as words, nothing as a dash."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return "–" if value in (None, "") else str(value)


def _row(*cells: Any) -> list[str]:
    return [_text(cell) for cell in cells]


def _purpose() -> Chapter:
    seller = Seller.objects.first()
    rows = [] if seller is None else [
        _row(_("Company"), seller.name),
        _row(_("Address"), f"{seller.street}, {seller.postal_code} {seller.city}, {seller.country}"),
        _row(_("Tax number"), seller.tax_number),
        _row(_("VAT id"), seller.vat_id),
        _row(_("Small business (section 19 UStG)"), seller.small_business),
        _row(_("Takes part in OSS"), seller.oss),
    ]  # fmt: skip
    return Chapter(
        "purpose",
        _("Purpose and company"),
        [
            _(
                "The Integration Hub joins sales channels, ERP, payment providers, banks and accounting. It is an upstream system in the sense of the GoBD: records that matter for the books arise in it or pass through it."
            ),
            _(
                "This document is generated from the configuration that was in force at the moment it was drawn up. It describes what the hub does; how people work with it is added by the company."
            ),
        ],
        [_("What"), _("Value")],
        rows,
    )


def _systems() -> Chapter:
    rows = [
        _row(one.name, one.kind, one.get_role_display(), one.get_mode_display(), one.get_state_display())
        for one in Connection.objects.order_by("role", "slug")
    ]
    return Chapter(
        "systems",
        _("Connected systems"),
        [_("Every system that the hub exchanges data with. Secrets are stored encrypted and are never shown.")],
        [_("Name"), _("System"), _("Role"), _("Mode"), _("State")],
        rows,
    )


def _processes() -> Chapter:
    found = ProcessSwitch.objects.select_related("channel", "target").order_by("channel__slug", "process")
    rows = []
    for one in found:
        process = switches.process_of(one.process)
        label = process.label if process else one.process
        rows.append(_row(one.channel.name, label, one.target.name, one.enabled, one.since.date().isoformat()))
    return Chapter(
        "processes",
        _("Processes switched on"),
        [_("Nothing is written to another system unless its process is switched on for the channel.")],
        [_("Channel"), _("Process"), _("Target"), _("Switched on"), _("For orders placed since")],
        rows,
    )


def _flow() -> Chapter:
    return Chapter(
        "flow",
        _("From receipt to posting"),
        [
            _(
                "1. A message is stored byte for byte, with its headers and the time, before anybody reads it. A repeated message is recognised by what it is about and says."
            ),
            _(
                "2. It is read and becomes an order, payment, stock level or special case. What cannot be read stays stored and becomes an exception."
            ),
            _(
                "3. The order is checked in full before anything is written to another system. Every finding is an exception."
            ),
            _(
                "4. A command to another system is stored in the same transaction, sent outside of it, and looked for before it is sent again. So each target is written once."
            ),
            _(
                "5. Documents are issued by rule, with a number from an unbroken range, and cannot be changed afterwards. Errors are put right by cancellation or correction only."
            ),
            _(
                "6. Documents and payments are posted in double entry by the account mapping in force on the day. A posting is never changed, only reversed."
            ),
            _(
                "7. Postings are exported period by period; an export is kept with its checksum, a later change is a batch of its own."
            ),
        ],
    )


def _issuing() -> Chapter:
    rows = [
        _row(one.channel.name, one.get_issuer_display(), one.get_trigger_display(), one.invoices, one.corrections,
             one.small_amounts, one.advances)
        for one in IssuingRule.objects.select_related("channel", "invoices", "corrections").order_by("channel__slug")
    ]  # fmt: skip
    return Chapter(
        "issuing",
        _("Who issues documents, and when"),
        [_("There is never more than one originating document for one delivery; the database refuses a second.")],
        [_("Channel"), _("Who issues"), _("When"), _("Numbers of invoices"), _("Numbers of corrections"),
         _("Small-amount invoices"), _("Advance invoices")],
        rows,
    )  # fmt: skip


def _numbers() -> Chapter:
    rows = []
    for one in NumberRange.objects.prefetch_related("series").order_by("name"):
        years = "; ".join(f"{series.year or _('all years')}: {series.next - 1}" for series in one.series.all())
        rows.append(_row(one.name, one.pattern, one.digits, one.yearly, years))
    return Chapter(
        "numbers",
        _("Number ranges"),
        [
            _("Numbers are given in the transaction that issues the document; so they are unique and have no gaps."),
            _("Voided numbers in the register: %(count)s.") % {"count": VoidNumber.objects.count()},
        ],
        [_("Range"), _("Pattern"), _("Digits"), _("Begins anew each year"), _("Given so far")],
        rows,
    )


def _rates() -> Chapter:
    rows = [
        _row(one.country, one.get_level_display(), "–" if one.rate is None else f"{(one.rate * 100).normalize():f} %",
             one.valid_from.isoformat(), one.source)
        for one in TaxRate.objects.all()
    ]  # fmt: skip
    return Chapter(
        "rates",
        _("Tax rates"),
        [_("A rate holds from its day until the next one of the same country and level. The tax of a document is computed once per rate, on the sum.")],
        [_("Country"), _("Level"), _("Rate"), _("Valid from"), _("Source")],
        rows,
    )  # fmt: skip


def _goods() -> Chapter:
    rows = [
        _row(one.group or "*", one.tax_class or "*", one.country or "*", one.get_buyer_display(), one.get_level_display(),
             one.valid_from.isoformat())
        for one in GoodsTax.objects.order_by("group", "tax_class", "country", "buyer", "valid_from")
    ]  # fmt: skip
    return Chapter(
        "goods",
        _("Which rate which articles have"),
        [_("The rule that says most wins: product group and tax class before country before kind of buyer.")],
        [_("Product group"), _("Tax class"), _("Country"), _("Buyer"), _("Level"), _("Valid from")],
        rows,
    )


def _accounts() -> Chapter:
    chart = choices.current().chart
    version = MappingVersion.objects.filter(chart=chart).order_by("-number").first()
    rows = [
        _row(one.get_event_display(), one.channel or "*", one.get_tax_case_display() or "*", one.country or "*",
             one.product_group or "*", "*" if one.rate is None else f"{(one.rate * 100).normalize():f} %", one.account,
             one.tax_key, one.valid_from.isoformat())
        for one in AccountRule.objects.filter(chart=chart, until=None).select_related("channel").order_by("event", "pk")
    ]  # fmt: skip
    return Chapter(
        "accounts",
        _("Which account is used for what"),
        [_("The most specific rule counts. Chart and version in force: %(version)s.") % {"version": version or f"SKR{chart}"}],
        [_("For"), _("Channel"), _("Tax case"), _("Country"), _("Product group"), _("Rate"), _("Account"), _("Tax key"),
         _("Valid from")],
        rows,
    )  # fmt: skip


def _choices() -> Chapter:
    """What was chosen where the law leaves a choice; the last choice of each name counts."""
    latest: dict[str, Choice] = {}
    for one in Choice.objects.order_by("pk"):
        latest[one.name] = one
    rows = [_row(name, one.value, one.adviser, one.why) for name, one in sorted(latest.items())]
    return Chapter(
        "choices",
        _("What was chosen where the law leaves a choice"),
        [_("What is not listed has the default that the hub states on its page.")],
        [_("Choice"), _("Chosen"), _("On the advice of"), _("Reason")],
        rows,
    )


def _roles() -> Chapter:
    rows = [
        _row(kinds.team_label(group.name), group.user_set.filter(is_active=True).count(),
             ", ".join(sorted(_codes(group.permissions.select_related("content_type")))))
        for group in Group.objects.order_by("name")
    ]  # fmt: skip
    return Chapter(
        "roles",
        _("Roles and rights"),
        [_("A person sees and does only what their role allows; every page and every interface checks it. Refunds, write-offs and the closing of periods need a second person.")],
        [_("Role"), _("People"), _("Rights")],
        rows,
    )  # fmt: skip


def _codes(permissions: Iterable[Any]) -> list[str]:
    return [f"{one.content_type.app_label}.{one.codename}" for one in permissions]


def _jobs() -> Chapter:
    rows = [_row(task.label, _times(task)) for task in schedules.tasks() if not task.name.startswith("verify:")]
    return Chapter(
        "jobs",
        _("What runs by itself"),
        [_("Each job is a row of the database and runs once, whichever worker takes it.")],
        [_("Job"), _("When")],
        rows,
    )


def _times(task: schedules.Task) -> str:
    if task.at:
        return _("daily at %(time)s") % {"time": task.at.strftime("%H:%M")}
    return _("every %(minutes)s minutes") % {"minutes": int(task.every.total_seconds() // 60)}


def _controls() -> Chapter:
    return Chapter(
        "controls",
        _("Checks of the stored data"),
        [_("Proved every night on the live rows; a broken rule becomes an exception.")],
        [_("Rule")],
        [[str(one.title)] for one in invariants.all_invariants()],
    )


def _exceptions() -> Chapter:
    rows = [
        _row(_gaps(kind.title), kinds.team_label(kind.role), f"{int(kind.due.total_seconds() // 3600)} h", kind.blocks)
        for kind in kinds.all_kinds()
    ]
    return Chapter(
        "exceptions",
        _("Exceptions and who clears them"),
        [_("What the hub cannot decide is held and put before a person, with reason, amount, deadline and the ways to solve it.")],
        [_("Exception"), _("Responsible"), _("Due after"), _("Holds up")],
        rows,
    )  # fmt: skip


class _Dots(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def _gaps(title: Any) -> str:
    """A title with its gaps as dots."""
    return str(title) % _Dots()


def _retention() -> Chapter:
    rows = [_row(one.label, _("%(years)s years") % {"years": one.years}, one.ground) for one in PERIODS]
    return Chapter(
        "retention",
        _("How long records are kept"),
        [_("Counted from the end of the calendar year in which the record arose.")],
        [_("Record"), _("Kept for"), _("Legal ground")],
        rows,
    )


@cache
def _release() -> str:
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def _versions() -> Chapter:
    with database.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM django_migrations")
        steps = cursor.fetchone()[0]
    return Chapter(
        "versions",
        _("Software in use"),
        [],
        [_("What"), _("Version")],
        [
            _row("Integration Hub", _release()),
            _row("Python", platform.python_version()),
            _row("Django", django.get_version()),
            _row("PostgreSQL", str(server).split(" ", 1)[0]),
            _row(_("Changes of the database's structure"), steps),
        ],
    )


def _history() -> Chapter:
    """Changes of what the other chapters say, newest first."""
    about = ContentType.objects.get_for_models(Connection, IssuingRule, NumberRange, Seller, TaxRate, GoodsTax).values()
    found = Activity.objects.filter(subject_type__in=list(about), actor__isnull=False).select_related("actor")
    rows = [
        _row(one.at.isoformat(timespec="seconds"), one.actor, words(one.text), one.why)
        for one in found.order_by("-pk")[:CHANGES]
    ]
    return Chapter(
        "history",
        _("Changes of the configuration"),
        [_("The latest %(count)s changes by people; the audit trail holds all of them.") % {"count": CHANGES}],
        [_("When"), _("Who"), _("What"), _("Reason")],
        rows,
    )


_MAKERS: tuple[Callable[[], Chapter], ...] = (
    _purpose,
    _systems,
    _processes,
    _flow,
    _issuing,
    _numbers,
    _rates,
    _goods,
    _accounts,
    _choices,
    _roles,
    _jobs,
    _exceptions,
    _controls,
    _retention,
    _versions,
    _history,
)
