"""What the connection test of a Shopify shop says: rights of the app, webhooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from integration_hub.kernel import fields
from integration_hub.kernel.fields import Object
from integration_hub.kernel.text import say

from .base import Finding


def findings(data: Object, present: Collection[str], *, scopes: Sequence[str], topics: Sequence[str]) -> list[Finding]:
    """The shop answers, and of each right and each webhook whether it is there."""
    name, granted = fields.words(fields.child(data, "shop"), "name"), scopes_of(data)
    return [
        Finding(True, say("The shop %(name)s answers and the token is right.", name=name)),
        *(_scope_finding(scope, scope in granted) for scope in scopes),
        *(_webhook_finding(topic, topic in present) for topic in topics),
    ]


def scopes_of(data: Object) -> set[str]:
    """What the app may do; who may write something may read it as well."""
    app = fields.child(data, "currentAppInstallation")
    granted = {fields.words(scope, "handle") for scope in fields.children(app, "accessScopes")}
    return granted | {scope.replace("write_", "read_", 1) for scope in granted if scope.startswith("write_")}


def _scope_finding(scope: str, granted: bool) -> Finding:
    if granted:
        return Finding(True, say("The app has the right %(scope)s.", scope=scope))
    return Finding(False, say("The app lacks the right %(scope)s. Grant it in the app's settings.", scope=scope))


def _webhook_finding(topic: str, present: bool) -> Finding:
    if present:
        return Finding(True, say("There is a webhook %(topic)s.", topic=topic))
    return Finding(
        False, say("There is no webhook %(topic)s; until there is one, orders come by polling only.", topic=topic)
    )
