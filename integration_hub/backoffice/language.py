"""The reader's language: the person's own choice, else the browser's cookie, else German; never a guess."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from integration_hub.models.access import User

CODES = frozenset(code for code, _label in settings.LANGUAGES)


class Language:
    """Activates the language of each request.  Looks for the person only where a session came along."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with translation.override(chosen(request)):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        return response


def chosen(request: HttpRequest) -> str:
    """The language code this request is answered in."""
    stored = ""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and isinstance(request.user, User):
        stored = request.user.language
    wanted = (stored, request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    return next((code for code in wanted if code in CODES), settings.LANGUAGE_CODE)


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Switch the language: kept with the person, and in a cookie for the login page."""
    code = request.POST.get("language", "")
    if code in CODES and isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=code)
    return set_language(request)
