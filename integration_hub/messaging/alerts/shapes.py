"""The shapes of a message: plain text for e-mail, blocks for Slack, an Adaptive Card for Teams, JSON for everybody else.

Slack: docs.slack.dev, incoming webhooks and Block Kit (``&``, ``<`` and ``>`` are escaped).  Teams: learn.microsoft.com,
"Create incoming webhooks with Workflows": an attachment with an Adaptive Card.  The generic webhook is signed as Standard
Webhooks says (standardwebhooks.com): ``webhook-id`` stays the same for every try, ``webhook-timestamp`` is that of the try,
``webhook-signature`` is ``v1,`` and the Base64 of HMAC-SHA256 over id, timestamp and body joined by dots.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integration_hub.kernel import codec

PREFIX = "whsec_"
SHOWN = 20  # alerts of one message by name; the rest as a number


@dataclass(frozen=True)
class Line:
    """One alert in a message."""

    id: int
    title: str
    count: int
    since: datetime
    url: str
    rule: str
    state: str


@dataclass(frozen=True)
class Message:
    """What is said, in the language of the channel: headline, lines, how many are left out, what stands below."""

    id: str
    occasion: str
    headline: str
    lines: Sequence[Line]
    more: str
    footer: str
    url: str


def plain(message: Message) -> str:
    """The text of an e-mail."""
    parts = [message.headline, ""]
    for line in message.lines:
        times = f" ({line.count} x)" if line.count > 1 else ""
        parts += [f"- {line.title}{times}", *([f"  {line.url}"] if line.url else [])]
    parts += [part for part in (message.more,) if part]
    parts += ["", *[part for part in (message.url, message.footer) if part]]
    return "\n".join(parts)


def slack(message: Message) -> dict[str, Any]:
    """An incoming webhook of Slack."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.headline[:150]}},
        *({"type": "section", "text": {"type": "mrkdwn", "text": _slack_line(line)}} for line in message.lines),
    ]
    below = " · ".join(part for part in (message.more, message.footer) if part)
    if below:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _escaped(below)}]})
    return {"text": message.headline, "blocks": blocks}


def _slack_line(line: Line) -> str:
    times = f" ({line.count} x)" if line.count > 1 else ""
    title = _escaped(line.title)
    return (f"<{line.url}|{title}>" if line.url else f"*{title}*") + times


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(message: Message) -> dict[str, Any]:
    """A webhook of Teams' Workflows."""
    body: list[dict[str, Any]] = [_block(message.headline, size="Large", weight="Bolder")]
    body += [_block(_card_line(line)) for line in message.lines]
    body += [_block(text, isSubtle=True, size="Small") for text in (message.more, message.footer) if text]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if message.url:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Integration Hub", "url": message.url}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "contentUrl": None, "content": card}]}


def _block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}


def _card_line(line: Line) -> str:
    """Cards know a little Markdown, so what is not meant as such is taken out of a title."""
    title = "".join(" " if sign in "[]()*_`" else sign for sign in line.title)
    times = f" ({line.count} x)" if line.count > 1 else ""
    return f"- [{title}]({line.url}){times}" if line.url else f"- {title}{times}"


def generic(message: Message) -> dict[str, Any]:
    """What programs get (docs/api.md)."""
    return {
        "id": message.id,
        "type": f"alert.{message.occasion.lower()}",
        "title": message.headline,
        "url": message.url,
        "alerts": [
            {
                "id": line.id,
                "rule": line.rule,
                "state": line.state,
                "title": line.title,
                "count": line.count,
                "since": line.since.isoformat(),
                "url": line.url,
            }
            for line in message.lines
        ],
    }


def new_secret() -> str:
    """A secret to sign with: 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one try."""
    key = base64.b64decode(secret.removeprefix(PREFIX)) if secret.startswith(PREFIX) else secret.encode()
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed(secret: str, message_id: str, timestamp: int, payload: Mapping[str, Any]) -> dict[str, str]:
    """The headers of one try; the body is the payload as the client writes it."""
    body = codec.canonical(payload)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
