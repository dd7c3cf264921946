"""What can go wrong with stock, as kinds of case.  What concerns orders (oversold, short) has its fixes in ``orders``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from exceptions.kinds import Kind
from exceptions.models import ExceptionCase
from exceptions.subjects import Face, Standing

from .models import StockLevel
from .services import alarms, comparison, levels, push
from .services.alarms import plain


def restate(case: ExceptionCase) -> int:
    """Try once more to place the levels that were kept."""
    return levels.restate(case.connection) if case.connection else 0


def compare(case: ExceptionCase) -> int:
    """Compare the whole shop now."""
    if case.connection is None:
        return 0
    comparison.start(case.connection)
    return case.size


KINDS = (
    Kind(
        code="negative_stock",
        title=_("Stock of %(sku)s at %(location)s is negative"),
        explanation=_(
            "Less than nothing cannot lie anywhere: a receipt was not booked, goods were booked out twice, or a delivery was taken from the wrong location."
        ),
        blocks=_("Trust in this level; the article is shown as sold out"),
        role="operations",
        due=timedelta(hours=8),
        rerun=alarms.rerun,
        help=_(
            "Count the article and book the count, or correct it in the system whose word counts there. The exception closes itself when the level is zero or more."
        ),
    ),
    Kind(
        code="stock_article_unknown",
        title=_("%(connection)s states stock of %(count)s articles that the hub does not know"),
        explanation=_("The levels are kept. As soon as the articles are known or mapped, they are taken over."),
        blocks=_("Availability of these articles in the shops"),
        role="operations",
        due=timedelta(hours=24),
        rerun=restate,
        help=_("Map the articles, or create them in the system that owns articles. Nothing has to be entered twice."),
    ),
    Kind(
        code="stock_location_unknown",
        title=_("%(connection)s states stock at locations that are not mapped: %(count)s levels"),
        explanation=_("The levels are kept. As soon as somebody says which location is meant, they are taken over."),
        blocks=_("The stock at these locations counts nowhere"),
        role="operations",
        due=timedelta(hours=24),
        rerun=restate,
        help=_("Stock, Locations: choose for each place of the system the location of the hub that it is."),
    ),
    Kind(
        code="stock_fraction",
        title=_("%(connection)s states fractions of piece goods: %(count)s levels"),
        explanation=_("An article that is sold by the piece cannot lie there by halves. The last whole level stands."),
        blocks=_("These levels are not taken over"),
        role="operations",
        due=timedelta(hours=24),
        rerun=restate,
        help=_("Correct the level there, or say here that the article is not sold by the piece only."),
    ),
    Kind(
        code="stock_article_twice",
        title=_("%(connection)s holds articles twice: %(count)s levels"),
        explanation=_(
            "Two articles there are mapped to the same one here, and both state a level. The hub does not guess which of them is right."
        ),
        blocks=_("These levels are not taken over"),
        role="operations",
        due=timedelta(hours=24),
        rerun=restate,
        help=_("Take one of the two mappings back, or join the articles in that system."),
    ),
    Kind(
        code="stock_drift",
        title=_("%(connection)s showed other quantities than it was told: %(count)s articles"),
        explanation=_(
            "Somebody edits stock in the shop, or another app does. The hub tells its own figures again; what was found is kept."
        ),
        blocks=_("Correct availability in this shop; possibly overselling"),
        role="operations",
        due=timedelta(hours=24),
        rerun=compare,
        help=_(
            "Look at the drifts of the channel: size and likely cause stand beside each. Switch off what else writes stock there. The exception closes itself when the articles are found as told."
        ),
    ),
    Kind(
        code="stock_not_taken",
        title=_("%(connection)s does not take the stock of %(count)s articles (%(code)s)"),
        explanation=_("The shop answers but refuses these levels, so it shows old ones."),
        blocks=_("Availability of these articles in this shop"),
        role="operations",
        due=timedelta(hours=8),
        rerun=push.again,
        names={
            "unknown_there": _("unknown there"),
            "not_tracked": _("stock is not kept there"),
            "refused": _("refused"),
            "no_answer": _("no answer"),
        },
        help=_("Look at the article in the shop: it was deleted, or stock is not tracked for it. Then try again here."),
    ),
    Kind(
        code="stock_of_inactive",
        title=_("%(count)s inactive articles still have stock at %(location)s"),
        explanation=_("Articles that are no longer sold lie in the warehouse."),
        blocks=_("Nothing; capital lies idle"),
        role="operations",
        due=timedelta(days=14),
        rerun=alarms.rerun,
        help=_("Sell it, write it off, or make the article active again. The exception closes itself."),
    ),
    Kind(
        code="stock_unconfirmed",
        title=_("%(count)s levels at %(location)s were not confirmed for %(hours)s hours"),
        explanation=_("The system whose word counts there has not stated these levels for longer than was agreed."),
        blocks=_("Trust in these levels; possibly overselling"),
        role="integrator",
        due=timedelta(hours=8),
        rerun=alarms.rerun,
        help=_("Look at the connection: is it polled, does the full comparison run? The exception closes itself."),
    ),
)


def _levels(ids: Sequence[int]) -> Mapping[int, Standing]:
    rows = StockLevel.objects.filter(pk__in=ids).values_list("pk", "on_hand")
    return {
        pk: Standing(_("%(count)s on hand") % {"count": plain(held)}, _tone(held), settled=True) for pk, held in rows
    }


def _tone(held: Decimal) -> str:
    return "bad" if held < 0 else "good"


FACES = (
    Face(
        model="inventory.stocklevel",
        url_name="stock_level",
        permission="inventory.view_stocklevel",
        standings=_levels,
    ),
)
