"""Messages of machines do not pass the rooms of people: no session, no language, no login on the way to the inbox."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .views import receive

_ADDRESS = re.compile(r"/webhooks/([-a-zA-Z0-9_]+)/")


class WebhookDoor:
    """Answers /webhooks/<slug>/ itself, before every middleware that serves people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = _ADDRESS.fullmatch(request.path_info)
        if not found:
            return self.get_response(request)
        answer = receive(request, found[1])
        answer.headers["Content-Length"] = str(len(answer.content))
        return answer
