"""The ledger on pages: postings, one entry with why each account, the account mapping with what a change would do."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from integration_hub.backoffice import keyset
from integration_hub.backoffice.buttons import buttons, press
from integration_hub.backoffice.pages import context, person, required

from ..events import Chart, Event
from ..ledger_actions import BOOKS_ACTIONS, ENTRY_ACTIONS
from ..ledger_filters import PostingFilter
from ..mapping_actions import CHANGE_RULE, MAPPING_ACTIONS, RetireForm, RuleForm, filled
from ..models import Account, AccountRule, Booking, Books, Entry, Export, MappingVersion, Posting
from ..services import changing, choices, explaining, gathering
from ..services.mapping import specificity


@required("accounting.view_posting")
def postings(request: HttpRequest) -> HttpResponse:
    """Lines of the ledger, newest first; read-only."""
    rows = Posting.objects.select_related("entry")
    found = PostingFilter(request.GET, rows, request=request)
    refused = Booking.objects.filter(state__in=("REFUSED", "WAITING", "DUE"))
    shown = {
        "slice": keyset.newest(found.qs, request),
        "form": found.form,
        "filtered": any(request.GET.get(name) for name in found.base_filters),
        "open": _counted(refused),
    }
    return render(request, "accounting/postings.html", context(request, _("Postings"), **shown))


def _counted(rows: Any) -> list[tuple[str, int]]:
    """How many things are not posted, by standing, at most a thousand of each."""
    found = []
    for state in ("DUE", "WAITING", "REFUSED"):
        count = rows.filter(state=state)[:1000].count()
        if count:
            found.append((Booking(state=state).get_state_display(), count))
    return found


@required("accounting.view_entry")
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """An entry, line by line, with the reason for each account, and where it was exported."""
    rows = Entry.objects.select_related(
        "version__made_by", "order", "document", "payout", "transaction", "reverses", "by"
    )
    row = get_object_or_404(rows, pk=pk)
    subject = gathering.MODELS[row.source]._default_manager.filter(pk=row.subject_id).first()
    shown = {
        "entry": row,
        "reasons": explaining.of_entry(row),
        "reversed_by": Entry.objects.filter(reverses=row).first(),
        "stands": Booking.objects.filter(entry=row).exists(),
        "subject": subject,
        "subject_url": _address(subject),
        "exported": exported_in(row),
        "buttons": buttons(request, ENTRY_ACTIONS, row, "entry_action"),
    }
    return render(request, "accounting/entry.html", context(request, _("Entry %(entry)s") % {"entry": row}, **shown))


def _address(subject: Any) -> str:
    """The page of what an entry is about, if it has one."""
    try:
        return str(subject.get_absolute_url()) if hasattr(subject, "get_absolute_url") else ""
    except NoReverseMatch:
        return ""


def exported_in(row: Entry) -> Export | None:
    """The batch that holds an entry, if one does."""
    day = row.booked_on
    held = Export.objects.filter(year=day.year, month=day.month, after__lt=row.pk, upto__gte=row.pk)
    return held.exclude(held_back__entry=row).first()


@require_POST
@required("accounting.view_entry")
def entry_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Press a button of an entry's page."""
    press(request, ENTRY_ACTIONS, code, get_object_or_404(Entry, pk=pk))
    return redirect("entry", pk)


@required("accounting.view_accountrule")
def account_mapping(request: HttpRequest) -> HttpResponse:
    """The rules in force, most specific first; with a form over one of them, and what it would change."""
    chart = choices.current().chart
    rules = AccountRule.objects.filter(chart=chart, until=None).select_related("channel", "since")
    event = request.GET.get("event", "")
    chosen = rules.filter(event=event) if event in Event.values and "percent" not in request.GET else rules
    names = dict(Account.objects.filter(chart=chart).values_list("number", "name"))
    listed = sorted(chosen, key=lambda rule: (rule.event, -specificity(rule), rule.pk))
    shown = {
        "rules": [(rule, explaining.told(rule), names.get(rule.account, "")) for rule in listed],
        "events": Event.choices,
        "event": event,
        "chart": dict(Chart.choices)[chart],
        "versions": MappingVersion.objects.filter(chart=chart).select_related("made_by").order_by("-number")[:20],
        **_form(request, chart),
    }
    return render(request, "accounting/mapping.html", context(request, _("Account mapping"), **shown))


def _form(request: HttpRequest, chart: str) -> dict[str, Any]:
    """The form that is asked for: empty, over a rule, or with the preview of what was filled in."""
    if not person(request).has_perm(CHANGE_RULE.permission):
        return {}
    books = Books(pk=1)
    if "account" in request.GET:
        form = RuleForm(request.GET, row=books)
        if not form.is_valid():
            return {"form": form}
        changes = changing.preview(chart, bring=[form.made()], retire=form.retired())
        return {"form": form, "changes": changes, "rows": sum(one.rows for one in changes), "previewed": True}
    rule = AccountRule.objects.filter(chart=chart, until=None, pk=_whole(request.GET.get("rule", ""))).first()
    if rule:
        return {
            "form": RuleForm(row=books, initial=filled(rule)),
            "retire": RetireForm(initial={"rule": rule.pk}),
            "rule": rule,
        }
    return {"form": RuleForm(row=books)} if "new" in request.GET else {}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


@require_POST
@required("accounting.view_accountrule")
def account_mapping_action(request: HttpRequest, code: str) -> HttpResponse:
    """Keep a change of the mapping."""
    press(request, MAPPING_ACTIONS, code, _books())
    return redirect("account_mapping")


def _books() -> Books:
    found = Books.objects.first()
    if found is None:
        raise Http404
    return found


@required("accounting.view_choice")
def books_choices(request: HttpRequest) -> HttpResponse:
    """How the books are kept: every option, its default, what was chosen by whom and why."""
    answers, last = choices.current(), choices.last()
    rows = [(one, getattr(answers, one.name), last.get(one.name)) for one in choices.OPTIONS]
    shown = {"rows": rows, "buttons": buttons(request, BOOKS_ACTIONS, _books(), "books_action")}
    return render(request, "accounting/choices.html", context(request, _("How the books are kept"), **shown))


@require_POST
@required("accounting.view_choice")
def books_action(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """Choose."""
    press(request, BOOKS_ACTIONS, code, get_object_or_404(Books, pk=pk))
    return redirect("books_choices")
