"""/metrics for Prometheus, read from the database at each scrape, so it is right whatever process answers."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from exceptions.figures import dealt
from exceptions.models import ExceptionCase
from integration_hub.messaging import pump
from integration_hub.models import Connection
from integration_hub.models.breaker import BreakerState
from orders.models import Order
from orders.states import OrderState

from . import figures
from .auth import RoleTokenAuthentication

SCRAPER = "scraper"


class ScraperAuthentication(BaseAuthentication):
    """``Authorization: Bearer <HUB_METRICS_TOKEN>``, for Prometheus; unset, it opens nothing."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str] | None:
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        wanted = f"Bearer {settings.HUB_METRICS_TOKEN}".encode()
        if settings.HUB_METRICS_TOKEN and hmac.compare_digest(given, wanted):
            return AnonymousUser(), SCRAPER
        return None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class MayScrape(BasePermission):
    """The scraper's token, or anybody who may see connections."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request.auth == SCRAPER or bool(request.user.has_perm("integration_hub.view_connection"))


class AnyAccept(BaseContentNegotiation):
    """There is one format, whatever is asked for."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(exclude=True)
class Metrics(APIView):
    """All figures at once."""

    authentication_classes = [ScraperAuthentication, RoleTokenAuthentication]
    permission_classes = [MayScrape]
    content_negotiation_class = AnyAccept

    def get(self, _request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Figures())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """Queues, exceptions, connections, workers and sizes."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _queues()
        yield _gauge("hub_open_exceptions", "Open exceptions", ["kind"], _cases())
        yield from _dealt()
        yield _gauge("hub_connection", "1 for the state a connection is in", ["connection", "state"], _connections())
        yield _gauge(
            "hub_breaker", "1 for the state a connection's breaker is in", ["connection", "state"], _breakers()
        )
        beats = [((lane,), age) for lane, age in figures.heartbeats().items() if lane in pump.LANES]
        yield _gauge("hub_lane_seconds_since_worked", "Seconds since a lane was worked", ["lane"], beats)
        held = [((), Order.objects.filter(state=OrderState.HELD).count())]
        yield _gauge("hub_orders_held", "Orders that something holds up", [], held)
        sizes = [((table,), rows) for table, rows in figures.estimated_rows().items()]
        yield _gauge("hub_table_rows_estimate", "Rows by PostgreSQL's estimate", ["table"], sizes)


Samples = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, words: str, labels: list[str], samples: Samples) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def _queues() -> Iterator[GaugeMetricFamily]:
    names = {"in": "events", "out": "commands"}
    for lane, name in names.items():
        states = [((state.lower(),), float(number)) for state, number in figures.queue_states(lane).items()]
        yield _gauge(f"hub_{name}", f"Unfinished {name} by state", ["state"], states)
    late: Samples = [((lane,), figures.overdue_seconds(lane)) for lane in names]
    yield _gauge("hub_lane_overdue_seconds", "For how long the oldest due row waits", ["lane"], late)


def _dealt() -> Iterator[GaugeMetricFamily]:
    """How well exceptions were dealt with in the last 30 days, by kind; the definitions stand in exceptions/figures.py."""
    _total, kinds = dealt()
    counts = {"opened": "opened", "again": "opened again", "closed": "closed", "by_themselves": "closed by themselves"}
    for name, words in counts.items():
        samples = [((one.kind,), float(getattr(one, name))) for one in kinds]
        yield _gauge(f"hub_exceptions_{name}_30d", f"Exceptions {words} in 30 days", ["kind"], samples)
    took = [
        ((one.kind, step, str(share)), found / 1000)
        for one in kinds
        for step, spread in one.steps
        for share in (0.5, 0.95)
        if (found := spread.percentile(share)) is not None
    ]
    words = "Seconds to detect, to the first look and to solve, in 30 days"
    yield _gauge("hub_exception_seconds_30d", words, ["kind", "step", "quantile"], took)


def _cases() -> Samples:
    rows = ExceptionCase.objects.open().values_list("kind").annotate(number=Count("pk")).order_by("kind")
    return [((kind,), number) for kind, number in rows]


def _breakers() -> Samples:
    rows = Connection.objects.values_list("slug", "breaker__state").order_by("slug")
    return [((slug, (state or BreakerState.CLOSED).lower()), 1) for slug, state in rows]


def _connections() -> Samples:
    return [
        ((slug, state.lower()), 1) for slug, state in Connection.objects.values_list("slug", "state").order_by("slug")
    ]
