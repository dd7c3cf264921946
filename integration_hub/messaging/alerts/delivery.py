"""Sending what is due: one row at a time under a lease, HTTP and SMTP outside any transaction, the end fenced by the lease.

Tried with growing pauses up to MOST tries (about a day); ``Retry-After`` is honoured.  What the channel refuses is not tried
again.  Either way a channel that does not work is an exception, and its page says since when and why.
"""

from __future__ import annotations

import logging
import smtplib
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection as database
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import translation

from exceptions import services as cases
from exceptions.services import Trouble
from integration_hub.backoffice import masking, seals
from integration_hub.backoffice.words import words
from integration_hub.connectors.http import Http
from integration_hub.kernel.errors import HubError, Misconfigured, Rejected, RetryLater
from integration_hub.kernel.text import Text, say
from integration_hub.messaging import clock, tries
from integration_hub.models import AlertChannel, AlertDelivery, User
from integration_hub.models.alert import AlertState, DeliveryState, Form, Occasion

from . import shapes, watch

logger = logging.getLogger(__name__)

KIND = "alert_channel"
LANE = "alerts"
LEASE = timedelta(seconds=90)
SECONDS = 25.0  # for one message, answer and all
MOST, TOLD_AFTER = 30, 3
LONGEST_WAIT = timedelta(hours=1)

_CLAIM = """
UPDATE integration_hub_alertdelivery SET state = 'LEASED', lease_token = %s, attempts = attempts + 1,
  due_at = statement_timestamp() + %s
WHERE id = (SELECT id FROM integration_hub_alertdelivery WHERE state IN ('DUE', 'LEASED') AND due_at <= statement_timestamp()
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def work() -> int:
    """Send one due message; returns 1, or 0 when none is due."""
    claim: list[Any] = [uuid4(), LEASE]
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(_CLAIM, claim)
        row = cursor.fetchone()
    if not row:
        return 0
    deliver(AlertDelivery.objects.select_related("channel").get(pk=row[0]))
    return 1


def deliver(row: AlertDelivery) -> None:
    """One try, and what comes of it."""
    channel = row.channel
    if not channel.enabled and row.occasion != Occasion.TEST:
        _settle(row, state=DeliveryState.DROPPED, finished_at=Now())
        return
    kept: dict[str, Any] = {}
    try:
        with translation.override(channel.language):
            message = compose(row)
            if message is None:
                _settle(row, state=DeliveryState.DROPPED, finished_at=Now())
                return
            _send(channel, message, kept)
    except (RetryLater, Rejected, Misconfigured) as error:
        _failed(row, error, kept)
    except Exception as error:  # the edge that records: anything else is our own mistake
        trace = uuid4().hex[:12]
        logger.exception("defect %s while sending alert %s", trace, row.pk)
        words_ = say("A defect of the hub (trace %(trace)s).", trace=trace)
        _failed(row, Rejected(words_, code="defect", detail=type(error).__name__), kept)
    else:
        _sent(row, kept)


def compose(row: AlertDelivery) -> shapes.Message | None:
    """The message in the active language; None where everything it was about is over."""
    root = settings.HUB_URL
    if row.occasion == Occasion.TEST:
        alerts = []
        headline = words(say("Test of the channel “%(name)s”", name=row.channel.name))
    else:
        alerts = watch.still_open(row.about)
        if not alerts:
            return None
        headline = words(_headline(row.occasion, len(alerts)))
    lines = [
        shapes.Line(
            id=alert.pk,
            title=words(alert.title),
            count=alert.count,
            since=alert.first_at,
            url=f"{root}/exceptions/{alert.case_id}/" if root and alert.case_id else "",
            rule=alert.rule.subject,
            state=str(AlertState(alert.state).value),
        )
        for alert in alerts[: shapes.SHOWN]
    ]
    left = len(alerts) - len(lines)
    return shapes.Message(
        id=f"hub-alert-{row.pk}",
        occasion=row.occasion,
        headline=headline,
        lines=lines,
        more=words(say("and %(count)s more", count=left)) if left > 0 else "",
        footer=_head_of_trail() if row.occasion == Occasion.DIGEST else "",
        url=f"{root}/alerts/" if root else "",
    )


def _headline(occasion: str, count: int) -> Text:
    if occasion == Occasion.DIGEST:
        return say("Integration Hub: %(count)s open alerts", count=count)
    if occasion == Occasion.ESCALATED:
        return say("Integration Hub: nobody has taken this yet")
    return say("Integration Hub: %(count)s new alerts", count=count) if count > 1 else say("Integration Hub: new alert")


def _head_of_trail() -> str:
    """The last seal of the audit trail goes out of the house with every digest, so that nobody can make a new chain."""
    heads = [head for head in seals.heads() if head.ledger == "audit"]
    if not heads:
        return ""
    return words(say("Audit trail, seal %(number)s: %(hash)s", number=heads[0].number, hash=bytes(heads[0].hash).hex()))


def _send(channel: AlertChannel, message: shapes.Message, kept: dict[str, Any]) -> None:
    if channel.form == Form.EMAIL:
        _mail(channel, message, kept)
    else:
        _post(channel, message, kept)


def recipients(channel: AlertChannel) -> list[str]:
    """The addresses named, else those of all people of the role."""
    named = [one.strip() for one in channel.recipients.replace(";", ",").replace("\n", ",").split(",") if one.strip()]
    if named:
        return named
    people = User.objects.filter(is_active=True).exclude(email="")
    of_role = (
        people.filter(is_superuser=True)
        if channel.role == "administrator"
        else people.filter(groups__name=channel.role)
    )
    return list(of_role.order_by("pk").values_list("email", flat=True).distinct())


def _mail(channel: AlertChannel, message: shapes.Message, kept: dict[str, Any]) -> None:
    to = recipients(channel)
    if not settings.HUB_EMAIL_URL:
        raise Misconfigured(say("No mail server is set: HUB_EMAIL_URL."), code="no_mail_server")
    if not to:
        raise Misconfigured(say("Nobody of this role has an e-mail address."), code="no_recipient")
    kept["request"] = shapes.plain(message)
    mail = EmailMessage(
        message.headline, shapes.plain(message), settings.DEFAULT_FROM_EMAIL, bcc=to, headers=_mail_headers(message)
    )
    try:
        mail.connection = get_connection(timeout=SECONDS)
        mail.send()
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
        raise Misconfigured(
            say("The mail server refuses it: %(answer)s", answer=_said(error)), code="mail_refused"
        ) from error
    except smtplib.SMTPResponseException as error:
        later = 400 <= error.smtp_code < 500
        text = say("The mail server refuses it: %(answer)s", answer=_said(error))
        raise (RetryLater(text, code="mail_later") if later else Rejected(text, code="mail_refused")) from error
    except (smtplib.SMTPException, OSError) as error:
        raise RetryLater(
            say("The mail server cannot be reached."), code="no_answer", detail=type(error).__name__
        ) from error


def _mail_headers(message: shapes.Message) -> dict[str, str]:
    return {"Auto-Submitted": "auto-generated", "X-Hub-Message": message.id}


def _said(error: Exception) -> str:
    """The server's answer without addresses."""
    return masking.text(str(error), personal=False)[:200]


def _post(channel: AlertChannel, message: shapes.Message, kept: dict[str, Any]) -> None:
    secrets = channel.secrets
    url, secret = secrets.get("url", ""), secrets.get("secret", "")
    http = Http(
        secrets=[url, secret],
        allowed=settings.HUB_ALLOWED_NETWORKS,
        timeout=(settings.HUB_CONNECT_TIMEOUT, 15.0),
        deadline=time.monotonic() + SECONDS,
    )
    payload, headers = _shaped(channel, message, secret)
    try:
        http.request("POST", url, json=payload, headers=headers)
    except Rejected as error:
        if (error.code == "refused" and "(404)" in str(error.text)) or "(410)" in str(error.text):
            raise Misconfigured(say("The webhook is not there any more."), code="webhook_gone") from error
        raise
    finally:
        if http.exchanges:
            done = http.exchanges[-1]
            kept |= {"request": done.request, "answer": done.answer[:2000], "status": done.status, "ms": done.ms}


def _shaped(channel: AlertChannel, message: shapes.Message, secret: str) -> tuple[dict[str, Any], dict[str, str]]:
    if channel.form == Form.SLACK:
        return shapes.slack(message), {}
    if channel.form == Form.TEAMS:
        return shapes.teams(message), {}
    payload = shapes.generic(message)
    return payload, shapes.signed(secret, message.id, int(clock.now().timestamp()), payload)


def _settle(row: AlertDelivery, **values: Any) -> bool:
    """Only where the lease still stands."""
    mine = AlertDelivery.objects.filter(pk=row.pk, lease_token=row.lease_token, state=DeliveryState.LEASED)
    return bool(mine.update(lease_token=None, **values))


@transaction.atomic
def _sent(row: AlertDelivery, kept: dict[str, Any]) -> None:
    if _settle(row, state=DeliveryState.SENT, finished_at=Now(), reason={}, exchange=kept):
        AlertChannel.objects.filter(pk=row.channel_id).update(last_sent_at=Now(), broken_since=None, last_error={})
        cases.clear(row.channel, causes=[_cause(row.channel)])


@transaction.atomic
def _failed(row: AlertDelivery, error: RetryLater | Rejected | Misconfigured, kept: dict[str, Any]) -> None:
    again = isinstance(error, RetryLater) and row.attempts < MOST and row.occasion != Occasion.TEST
    told = {"reason": error.text.as_json(), "exchange": kept}
    if again:
        wait = getattr(error, "after", None) or min(tries.backoff(row.attempts + 2), LONGEST_WAIT)
        mine = _settle(row, state=DeliveryState.DUE, due_at=Now() + wait, **told)
    else:
        mine = _settle(row, state=DeliveryState.FAILED, finished_at=Now(), **told)
    if mine and (not again or row.attempts >= TOLD_AFTER):
        _broken(row.channel, error)


def _broken(channel: AlertChannel, error: HubError) -> None:
    """The channel does not work: its page says so, and it is an exception."""
    AlertChannel.objects.filter(pk=channel.pk, broken_since=None).update(broken_since=Now())
    AlertChannel.objects.filter(pk=channel.pk).update(last_error=error.text.as_json())
    cases.open_case(
        Trouble(
            kind=KIND,
            cause=_cause(channel),
            params={"channel": channel.name},
            expected=say("Alerts reach their readers"),
            found=error.text,
        ),
        channel,
    )


def _cause(channel: AlertChannel) -> str:
    return f"alert_channel:{channel.pk}"


def send_again(channel_ids: list[int]) -> int:
    """Let what failed of these channels in the last day go out once more."""
    lately = clock.now() - timedelta(days=1)
    failed = AlertDelivery.objects.filter(
        channel__in=channel_ids, state=DeliveryState.FAILED, created_at__gte=lately
    ).exclude(occasion=Occasion.TEST)
    return int(failed.update(state=DeliveryState.DUE, due_at=Now(), attempts=F("attempts") * 0, finished_at=None))
