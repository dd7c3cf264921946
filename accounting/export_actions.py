"""What a person may do to an export."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from integration_hub.backoffice.actions import Action
from integration_hub.kernel.text import Text, say
from integration_hub.models.access import User

from .events import ExportState
from .models import Export
from .services import exporting


def _again(export: Export, *, by: User) -> Text:
    exporting.again(export)
    return say("Is written again")


def _failed(export: Export) -> Text | None:
    return None if export.state == ExportState.FAILED else say("Only an export that failed is written again.")


AGAIN = Action(
    code="accounting.export_again",
    label=_("Write again"),
    permission="accounting.make_export",
    run=_again,
    allowed=_failed,
    primary=True,
)
EXPORT_ACTIONS: tuple[Action, ...] = (AGAIN,)
