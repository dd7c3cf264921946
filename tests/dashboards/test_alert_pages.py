"""The pages of alerts: a channel is set up, its secret shown once, its readers choose, a rule is changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from integration_hub.models import Activity, Alert, AlertChannel, AlertRule, AlertSubscription, User

pytestmark = pytest.mark.django_db
SETTINGS = {
    "name": "Leitstand",
    "form": "WEBHOOK",
    "role": "operations",
    "language": "de",
    "digest_at": "08:00",
    "enabled": "on",
}


@pytest.fixture
def as_role(person: Callable[..., User]) -> Callable[[str], Client]:
    def sit(role: str) -> Client:
        client, user = Client(), person(role)
        User.objects.filter(pk=user.pk).update(language="en")
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sit


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_a_channel_is_set_up_and_its_secrets_are_kept_from_everybody(as_role: Callable[[str], Client]) -> None:
    client = as_role("integrator")
    answer = client.post("/alerts/channels/new/", SETTINGS | {"url": "https://hooks.example.com/T0P"}, follow=True)
    made = AlertChannel.objects.get()
    secret = made.secrets["secret"]
    assert secret.startswith("whsec_")
    assert secret in answer.content.decode()
    for path in ("/alerts/channels/", f"/alerts/channels/{made.pk}/", f"/alerts/channels/{made.pk}/settings/"):
        shown = text(client, path)
        assert secret not in shown
        assert "T0P" not in shown
    client.post(f"/alerts/channels/{made.pk}/settings/", SETTINGS | {"name": "Schicht"})
    made.refresh_from_db()
    assert (made.name, made.secrets["url"], made.secrets["secret"]) == (
        "Schicht",
        "https://hooks.example.com/T0P",
        secret,
    )
    assert "T0P" not in str(list(Activity.objects.values_list("text", "data")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": ""},
        {"url": "javascript:alert(1)"},
        {"form": "EMAIL", "recipients": "nobody"},
        {"url": "https://x.example.com/", "quiet_from": "22:00"},
        {"url": "https://x.example.com/", "role": "marketing"},
    ],
)
def test_what_cannot_work_is_not_saved(as_role: Callable[[str], Client], wrong: dict[str, str]) -> None:
    assert as_role("integrator").post("/alerts/channels/new/", SETTINGS | wrong).status_code == 422
    assert not AlertChannel.objects.exists()


def test_people_choose_what_their_own_channel_is_told(as_role: Callable[[str], Client]) -> None:
    channel = AlertChannel.objects.create(name="Schicht", form="EMAIL", role="operations")
    rule, other = (AlertRule.objects.get(subject=kind, condition="OPENED") for kind in ("oversold", "defect"))
    path = f"/alerts/channels/{channel.pk}/told/"
    assert as_role("finance").post(path, {"rules": [other.pk]}).status_code == 403
    client = as_role("operations")
    assert client.post(path, {"rules": [other.pk]}).status_code == 302
    said = dict(AlertSubscription.objects.filter(rule__in=[rule, other]).values_list("rule", "wanted"))
    assert said == {rule.pk: False, other.pk: True}
    assert f'value="{other.pk}"' in text(client, f"/alerts/channels/{channel.pk}/")


def test_a_rule_is_changed_and_a_wrong_one_is_not(as_role: Callable[[str], Client]) -> None:
    client, rule = as_role("integrator"), AlertRule.objects.get(subject="defect", condition="OPENED")
    good = {
        "limit": "0",
        "window": "60",
        "urgency": "DIGEST",
        "role": "operations",
        "escalate_after": "",
        "escalate_to": "",
    }
    assert client.post(f"/alerts/rules/{rule.pk}/", good).status_code == 302
    rule.refresh_from_db()
    assert (rule.urgency, rule.role, rule.enabled, rule.subject) == ("DIGEST", "operations", False, "defect")
    assert client.post(f"/alerts/rules/{rule.pk}/", good | {"escalate_after": "5"}).status_code == 422
    new = good | {"subject": "at_risk", "condition": "ABOVE", "limit": "5000", "urgency": "NOW", "enabled": "on"}
    assert client.post("/alerts/rules/new/", new | {"condition": "OPENED"}).status_code == 422
    assert client.post("/alerts/rules/new/", new).status_code == 302
    assert AlertRule.objects.filter(subject="at_risk", limit=5000, enabled=True).exists()


def test_the_list_says_what_is_open_who_has_it_and_that_nobody_is_told(as_role: Callable[[str], Client]) -> None:
    rule = AlertRule.objects.get(subject="defect", condition="OPENED")
    alert = Alert.objects.create(rule=rule, cause="d", title={"msgid": "Defect of the hub", "params": {}}, count=7)
    client = as_role("operations")
    shown = text(client, "/alerts/")
    assert "Defect of the hub" in shown
    assert "nobody is told" in shown
    client.post(f"/alerts/{alert.pk}/do/alerts.take/")
    assert "Defect of the hub" not in text(client, "/alerts/")
    assert "operations" in text(client, "/alerts/?state=TAKEN")
