"""The door through which programs upload bank statements: the body is the file, answered once it is looked through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from integration_hub.backoffice.pages import person
from integration_hub.backoffice.rest import refusals
from integration_hub.kernel.errors import TooLarge
from integration_hub.messaging import files
from integration_hub.models import Connection

from .auth import needs


class FileParser(BaseParser):
    """Any file, as bytes, up to what the door takes."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        body: bytes = stream.read(files.MAX_BYTES + 1)
        if len(body) > files.MAX_BYTES:
            raise TooLarge(files.too_large("statement"), code="too_large")
        return {"body": body}


class TakenOut(serializers.Serializer[Any]):
    """An event that keeps a statement file; ``new`` is false where this very file was there already."""

    event = serializers.IntegerField(source="event.pk")
    state = serializers.CharField(source="event.state")
    new = serializers.BooleanField()
    status_url = serializers.SerializerMethodField()

    def get_status_url(self, taken: files.Taken) -> str:
        request: Request = self.context["request"]
        return request.build_absolute_uri(reverse("api:event-detail", args=[taken.event.pk]))


class UploadStatements(APIView):
    """Upload a bank statement (CAMT.053, MT940, CSV, or a ZIP of them) as the body.  202: taken; 200: known already."""

    permission_classes = [needs("integration_hub.upload_files")]
    parser_classes = (FileParser,)

    @extend_schema(
        operation_id="upload_statement",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={202: TakenOut(many=True), 200: TakenOut(many=True)} | refusals(400, 401, 403, 413, 422),
        parameters=[
            OpenApiParameter("connection", OpenApiTypes.STR, required=True, description="short name of the bank"),
            OpenApiParameter("name", OpenApiTypes.STR, description="name of the file, for people"),
        ],
    )
    def post(self, request: Request) -> Response:
        slug = request.query_params.get("connection", "")
        connection = Connection.objects.filter(slug=slug).first()
        if connection is None:
            raise serializers.ValidationError({"connection": [_("No connection of this name takes files.")]})
        name = request.query_params.get("name", "") or "API"
        body: bytes = request.data.get("body", b"") if isinstance(request.data, Mapping) else b""
        taken = files.take(connection, name, body, by=person(request))
        out = TakenOut(taken, many=True, context={"request": request})
        return Response(out.data, status=202 if any(one.new for one in taken) else 200)
