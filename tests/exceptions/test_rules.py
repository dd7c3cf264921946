"""What people do again and again is offered as a rule; rules act in somebody's name, with proof, and stop when told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.test import Client

from exceptions import actions, habits, jobs, rules, services
from exceptions.models import AmountLimit, Approval, ExceptionCase, Healing, How, Rule, RuleVersion
from exceptions.services import Trouble
from integration_hub.backoffice.actions import perform
from integration_hub.kernel.errors import NotNow
from integration_hub.messaging import pump
from integration_hub.models import Connection, User
from inventory.models import Variant
from orders.actions import ACCEPT, MAP_PRODUCT
from orders.models import Order
from tests import standin
from tests.exceptions import scene

pytestmark = pytest.mark.django_db
AtScreen = Callable[..., Client]
Person = Callable[..., User]
TEST = {"reason": "TEST", "why": "only a test"}


@pytest.fixture
def anna(person: Person) -> User:
    return person("operations", "anna")


def trouble(shop: Connection, number: int) -> ExceptionCase:
    found = Trouble(kind="webhook_disabled", cause=f"w:{number}", params={"connection": "Laden", "topic": "x"})
    return services.open_case(found, shop, connection=shop)


def closed_six_times(shop: Connection, by: User, reasons: tuple[str, ...] = ("TEST",) * 6) -> None:
    for number, reason in enumerate(reasons):
        perform(actions.DISMISS, trouble(shop, number), by=by, data=TEST | {"reason": reason})


def test_six_times_the_same_is_offered(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna, ("TEST",) * 5)
    assert habits.offers() == []
    perform(actions.DISMISS, trouble(joined, 9), by=anna, data=TEST)
    (offer,) = habits.offers()
    assert (offer.habit.code, offer.kind, offer.connection, offer.match) == (
        "closing", "webhook_disabled", joined, {"reason": "TEST"},
    )  # fmt: skip
    assert habits.offers_for("webhook_disabled", joined.pk) == [offer]


def test_one_that_was_done_otherwise_ends_the_habit(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna, ("TEST", "TEST", "TEST", "DUPLICATE", "TEST", "TEST"))
    assert habits.offers() == []


def test_a_rule_acts_on_what_comes_and_on_what_is_open(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna)
    waiting = trouble(joined, 50)
    rule = rules.make(habits.offers()[0], by=anna)
    new = trouble(joined, 51)
    assert pump.is_due("jobs")
    pump.run("jobs")
    assert not pump.is_due("jobs")
    for case in (waiting, new):
        case.refresh_from_db()
        assert (case.state, case.close_code, case.closed_by) == ("DISMISSED", "TEST", None)
        proof = Healing.objects.get(case=case, how=How.RULE).proof
        assert proof == {"rule": rule.pk, "version": 1, "action": "exceptions.dismiss"}
    assert habits.offers() == []  # it is a rule already


def test_a_rule_does_not_go_beyond_what_was_at_risk_then(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna)
    rules.make(habits.offers()[0], by=anna)
    dear = trouble(joined, 60)
    ExceptionCase.objects.filter(pk=dear.pk).update(amount=1)
    pump.run("jobs")
    dear.refresh_from_db()
    assert dear.state == "OPEN"


def test_nor_where_a_second_person_is_needed(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna)
    rule = rules.make(habits.offers()[0], by=anna)
    Rule.objects.filter(pk=rule.pk).update(most=10_000)
    AmountLimit.objects.create(currency="EUR", alone_up_to=5)
    dear = trouble(joined, 60)
    ExceptionCase.objects.filter(pk=dear.pk).update(amount=6)
    pump.run("jobs")
    dear.refresh_from_db()
    assert (dear.state, Approval.objects.count()) == ("OPEN", 0)


def test_switched_off_it_does_nothing_and_every_switch_is_a_version(
    joined: Connection, anna: User, at_screen: AtScreen
) -> None:
    closed_six_times(joined, anna)
    rule = rules.make(habits.offers()[0], by=anna)
    client = at_screen("finance", "bert")
    client.post(f"/exceptions/rules/{rule.pk}/exceptions.rule_off/", {"why": "the shop was moved"})
    case = trouble(joined, 70)
    pump.run("jobs")
    case.refresh_from_db()
    assert case.state == "OPEN"
    with pytest.raises(NotNow):
        rules.switch(rule, on=False, by=anna, why="again")
    client.post(f"/exceptions/rules/{rule.pk}/exceptions.rule_on/", {"why": "the shop is back"})
    rule.refresh_from_db()
    assert (rule.version, rule.enabled, rule.by.username) == (3, True, "bert")
    said = RuleVersion.objects.order_by("version").values_list("version", "enabled", "by__username", "why")
    assert list(said) == [
        (1, True, "anna", ""), (2, False, "bert", "the shop was moved"), (3, True, "bert", "the shop is back"),
    ]  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleVersion.objects.update(why="nothing")


def test_a_rule_stops_when_its_author_may_no_longer(joined: Connection, anna: User) -> None:
    closed_six_times(joined, anna)
    rule = rules.make(habits.offers()[0], by=anna)
    anna.groups.clear()
    case = trouble(joined, 80)
    pump.run("jobs")
    case.refresh_from_db()
    rule.refresh_from_db()
    assert (case.state, rule.enabled, rule.version) == ("OPEN", False, 2)


def test_nobody_makes_a_rule_of_what_they_may_not_do(joined: Connection, anna: User, person: Person) -> None:
    closed_six_times(joined, anna)
    with pytest.raises(PermissionDenied):
        rules.make(habits.offers()[0], by=person("auditor"))


def test_mapped_numbers_with_the_same_ending(joined: Connection, anna: User) -> None:
    for number in range(7):
        Variant.objects.create(sku=f"TK-10{number}", title="Teekanne")
    for number in range(6):
        case = scene.unknown_product(number + 1, sku=f"TK-10{number}-B")
        perform(MAP_PRODUCT, case, by=anna, data={"sku": f"TK-10{number}"})
    (offer,) = habits.offers()
    assert (offer.habit.code, offer.match) == ("mapping", {"suffix": "-B"})
    rules.make(offer, by=anna)
    scene.report(scene.with_sku(50, "TK-106-B"))
    scene.report(scene.with_sku(51, "ZZ-1-B"))
    pump.drain(lanes=("in", "jobs", "out"))
    assert Order.objects.get(external_id="50").state == "ACCEPTED"
    assert Order.objects.get(external_id="51").state == "HELD"  # no such article: nothing is guessed
    assert ExceptionCase.objects.get(kind="unknown_product", state="OPEN").data["sku"] == "ZZ-1-B"


def strange_tax(number: int) -> dict[str, Any]:
    first, shipping = standin.order()["lines"]
    return standin.order(number, lines=[dict(first, rate="0.17"), shipping])


def test_the_same_figures_accepted_again_and_again(joined: Connection, person: Person) -> None:
    finance = person("finance", "bert")
    scene.teapot()
    for number in range(1, 7):
        scene.report(strange_tax(number))
    pump.drain()
    for case in ExceptionCase.objects.filter(kind="tax_rate_unknown"):
        perform(ACCEPT, case, by=finance, data={"why": "agreed with the adviser", **ACCEPT.initial(case)})
    offer = next(one for one in habits.offers() if one.kind == "tax_rate_unknown")
    rules.make(offer, by=finance)
    scene.report(strange_tax(7))
    pump.drain(lanes=("in", "jobs", "out"))
    case = ExceptionCase.objects.get(kind="tax_rate_unknown", params__number="#7")
    assert (case.state, case.closed_by) == ("SOLVED", None)
    assert case.healings.filter(how=How.RULE).count() == 1


def test_the_page_offers_and_lists(joined: Connection, anna: User, at_screen: AtScreen) -> None:
    closed_six_times(joined, anna)
    case = trouble(joined, 90)
    client = at_screen("operations", "carl")
    page = client.get("/exceptions/rules/")
    (offer,) = page.context["offers"]
    assert "The last 6 times" in client.get(f"/exceptions/{case.pk}/").content.decode()
    client.post("/exceptions/rules/make/", {"offer": "[]"})
    assert not Rule.objects.exists()
    client.post("/exceptions/rules/make/", {"offer": offer["key"]})
    rule = Rule.objects.get()
    pump.run("jobs")
    (row,) = client.get("/exceptions/rules/").context["rows"]
    assert (row["used"], row["rule"].by.username) == (1, "carl")
    assert client.get(f"/exceptions/rules/{rule.pk}/").context["done"][0]["row"].case_id == case.pk
    assert at_screen("auditor").post("/exceptions/rules/make/", {"offer": offer["key"]}).status_code == 403
    assert jobs.work() == 0
