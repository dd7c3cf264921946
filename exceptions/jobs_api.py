"""Background jobs and approvals over REST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action as route
from rest_framework.request import Request
from rest_framework.response import Response

from integration_hub.backoffice.actions import Action, may
from integration_hub.backoffice.rest import Acting, ActionOut, MayLook, WordsField, described, form_data, refusals
from integration_hub.models.access import User

from . import actions, approval_actions, jobs
from .models import Approval, ApprovalState, ExceptionCase, Job, JobRow

MOST_RESULTS = 1000
_KEY = OpenApiParameter(
    "Idempotency-Key", UUID, OpenApiParameter.HEADER, description="the same key again is the same job"
)


class JobRowOut(serializers.ModelSerializer[JobRow]):
    """What came of one case or object."""

    text = WordsField()

    class Meta:
        model = JobRow
        fields = ["case", "subject_id", "label", "state", "text", "done_at"]


class JobOut(serializers.ModelSerializer[Job]):
    """A job and how far it is."""

    by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    counts = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = ["id", "key", "action", "case", "by", "created_at", "finished_at", "counts"]

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_counts(self, job: Job) -> Mapping[str, int]:
        counted: Mapping[int, Mapping[str, int]] = self.context.get("counts", {})
        return counted[job.pk] if job.pk in counted else jobs.counts(job)


class JobDetail(JobOut):
    """A job with at most 1,000 of its results, failures first by asking for them: ``?state=FAILED``."""

    results = serializers.SerializerMethodField()

    class Meta(JobOut.Meta):
        fields = [*JobOut.Meta.fields, "results"]

    @extend_schema_field(JobRowOut(many=True))
    def get_results(self, job: Job) -> Any:
        state = self.context["request"].query_params.get("state", "")
        rows = job.rows.filter(state=state) if state else job.rows.all()
        return JobRowOut(rows.order_by("pk")[:MOST_RESULTS], many=True).data


class JobIn(serializers.Serializer[Any]):
    """An action for many exceptions: by their ids, or all open ones of one root."""

    action = serializers.CharField(max_length=60)
    cases = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=jobs.MOST)
    root_cause = serializers.RegexField(r"^[0-9a-f]{64}$", required=False)
    fields = serializers.DictField(required=False)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("cases" in attrs) == ("root_cause" in attrs):
            raise serializers.ValidationError({"cases": ["Either cases or root_cause."]})
        return attrs


class JobViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Job]):
    """Work on many exceptions at once."""

    queryset = Job.objects.select_related("by")
    permission_classes = [MayLook]
    orderings = ("-id", "id")

    def paginate_queryset(self, queryset: Any) -> Any:
        """The counts of a page's jobs are read together."""
        page = super().paginate_queryset(queryset)
        self.counted = jobs.counts_of(list(page or []))
        return page

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "counts": getattr(self, "counted", {})}

    def get_serializer_class(self) -> type[JobOut]:
        return JobDetail if self.action == "retrieve" else JobOut

    @extend_schema(request=JobIn, responses={201: JobOut} | refusals(400, 401, 403, 404), parameters=[_KEY])
    def create(self, request: Request, *_args: Any, **_kwargs: Any) -> Response:
        """Begin it; it is done in the background."""
        given = JobIn(data=request.data)
        given.is_valid(raise_exception=True)
        job = _begin(given.validated_data, request)
        return Response(JobOut(job, context={"request": request}).data, status=201)

    @extend_schema(request=None, responses={200: JobOut} | refusals(401, 403, 404))
    @route(detail=True, methods=["post"], permission_classes=[MayLook])
    def stop(self, request: Request, **_kwargs: Any) -> Response:
        """Do no more of it; only for who began it and administrators."""
        job = self.get_object()
        if not isinstance(request.user, User) or not jobs.may_stop(job, request.user):
            raise PermissionDenied
        jobs.stop(job)
        return Response(JobOut(job, context={"request": request}).data)


def _begin(given: Mapping[str, Any], request: Request) -> Job:
    user = request.user
    cases = _cases(given)
    action = actions.for_many(given["action"], cases)
    if action is None or not isinstance(user, User):
        raise Http404
    if not may(action, user):
        raise PermissionDenied
    try:
        return jobs.for_cases(
            action.code,
            cases,
            by=user,
            data=form_data(given.get("fields", {})),
            key=_key(request),
            root=given.get("root_cause", ""),
        )
    except Job.DoesNotExist as error:
        raise Http404 from error


def _cases(given: Mapping[str, Any]) -> list[ExceptionCase]:
    rows = ExceptionCase.objects.select_related("connection")
    found = (
        rows.open().filter(root=given["root_cause"]) if "root_cause" in given else rows.filter(pk__in=given["cases"])
    )
    return list(found.order_by("pk")[: jobs.MOST])


def _key(request: Request) -> UUID:
    try:
        return UUID(request.headers.get("Idempotency-Key", ""))
    except ValueError:
        return uuid4()


class ApprovalOut(serializers.ModelSerializer[Approval]):
    """A request for a second person's approval."""

    requested_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    decided_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = Approval
        fields = [
            "id", "case", "action", "amount", "currency", "state",
            "requested_by", "requested_at", "decided_by", "decided_at",
        ]  # fmt: skip


class ApprovalDetail(ApprovalOut):
    """A request with what was typed and what can be done."""

    actions = serializers.SerializerMethodField()

    class Meta(ApprovalOut.Meta):
        fields = [*ApprovalOut.Meta.fields, "data", "actions"]

    @extend_schema_field(ActionOut(many=True))
    def get_actions(self, approval: Approval) -> list[Mapping[str, Any]]:
        return [described(action, approval, self.context["request"].user) for action in approval_actions.ALL]


class ApprovalFilter(filters.FilterSet):  # type: ignore[misc]
    """Which requests."""

    state = filters.ChoiceFilter(choices=ApprovalState.choices)
    case = filters.NumberFilter(min_value=1, max_value=2**62)


class ApprovalViewSet(Acting, viewsets.ReadOnlyModelViewSet[Approval]):
    """What waits, or waited, for a second person."""

    queryset = Approval.objects.select_related("requested_by", "decided_by", "case")
    permission_classes = [MayLook]
    filterset_class = ApprovalFilter
    orderings = ("-id", "id")

    def get_serializer_class(self) -> type[ApprovalOut]:
        return ApprovalDetail if self.action == "retrieve" else ApprovalOut

    def actions_for(self, row: Approval) -> Iterable[Action]:
        return approval_actions.ALL
