"""The exception list as a file."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.exports import Column, choice, column, sheet
from integration_hub.backoffice.words import words

from .presentation import Shown

EXCEPTIONS = sheet(
    "exceptions",
    _("Exceptions"),
    column(_("id"), "pk"),
    Column(_("Reason"), lambda case: Shown(case).title),
    column(_("expected"), "expected").through(words),
    Column(_("found"), lambda case: Shown(case).found),
    column(_("amount at risk"), "amount"),
    column(_("Currency"), "currency"),
    column(_("Affected objects"), "size"),
    column(_("affects"), "first_label"),
    Column(_("Blocks"), lambda case: Shown(case).blocks),
    column(_("Channel"), "connection.name"),
    Column(_("responsible"), lambda case: Shown(case).team),
    column(_("assigned to"), "assignee.username"),
    choice(_("State"), "state"),
    column(_("Due"), "due_at"),
    column(_("first seen"), "first_seen_at"),
    column(_("last seen"), "last_seen_at"),
    column(_("closed"), "closed_at"),
    column(_("closed by"), "closed_by.username"),
    column(_("why"), "close_reason"),
)
