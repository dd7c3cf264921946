"""Odoo's two doors: JSON-2 (``/json/2/<model>/<method>``, since 19) and JSON-RPC (``/jsonrpc``, always HTTP 200)."""

from __future__ import annotations

import json
import re
from typing import Any

from . import world as facts
from .http import Request, Response, json_response
from .odoo_furnish import furnish
from .odoo_methods import SIGNATURES, WRITING, Call, Methods
from .odoo_schema import MODELS, OdooError, user_error
from .world import World

_JSON2 = re.compile(r"/odoo/json/2/(?P<model>[a-z0-9_.]+)/(?P<method>\w+)")
_NOT_FOUND = b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"


def _error_data(error: OdooError) -> dict[str, Any]:
    debug = f"Traceback (most recent call last):\n{error.name}: {error.message}\n"
    return {"name": error.name, "message": error.message, "arguments": [error.message], "context": {}, "debug": debug}


class Odoo:
    """The played ERP on the wire."""

    name = "odoo"
    prefix = "/odoo/"

    def __init__(self, world: World) -> None:
        self._world = world
        self._methods = Methods(world)
        furnish(world)

    def handle(self, request: Request) -> Response:
        if request.path == "/odoo/jsonrpc" and request.method == "POST":
            return self._json_rpc(request)
        match = _JSON2.fullmatch(request.path)
        database = request.headers.get("x-odoo-database", facts.ODOO_DATABASE)  # without one there are no such routes
        known = database == facts.ODOO_DATABASE and int(self._methods.version) >= 19
        if match and request.method == "POST" and known:
            return self._json_2(request, match["model"], match["method"])
        return Response(404, _NOT_FOUND, {"Content-Type": "text/html; charset=utf-8"})

    def writes(self, request: Request) -> bool:
        match = _JSON2.fullmatch(request.path)
        if match:
            return match["method"] in WRITING
        try:
            return request.json()["params"]["args"][4] in WRITING
        except (ValueError, KeyError, IndexError, TypeError):
            return False

    def failure(self, status: int, retry_after: int) -> Response:
        """What stands before Odoo answers: a proxy's page."""
        kept = {"Content-Type": "text/html"} | ({"Retry-After": str(retry_after)} if retry_after else {})
        return Response(status, f"<html><body><h1>{status}</h1></body></html>".encode(), kept)

    def _json_2(self, request: Request, model: str, method: str) -> Response:
        try:
            self._authorise(request)
            return json_response(self._methods.run(self._named(request, model, method)))
        except OdooError as error:
            return json_response(_error_data(error), error.status)

    def _authorise(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key != facts.ODOO_KEY:
            raise OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)

    def _named(self, request: Request, model: str, method: str) -> Call:
        """Arguments by name; ids only on methods of records."""
        try:
            body = request.json()
        except ValueError as error:
            words = f"could not parse the body as json: {error}"
            raise OdooError("werkzeug.exceptions.BadRequest", words, 400) from error
        if model not in MODELS:
            raise OdooError("werkzeug.exceptions.NotFound", f"the model '{model}' does not exist", 404)
        if method not in SIGNATURES:
            words = f"The method '{model}.{method}' does not exist"
            raise OdooError("werkzeug.exceptions.NotFound", words, 404)
        ids, context = tuple(body.pop("ids", ())), body.pop("context", {})
        on_records, names = SIGNATURES[method]
        if ids and not on_records:
            raise OdooError("werkzeug.exceptions.UnprocessableEntity", f"cannot call {model}.{method} with ids", 422)
        self._bind(method, names, body)
        return Call(model, method, ids, body, context)

    def _bind(self, method: str, names: tuple[str, ...], given: dict[str, Any]) -> None:
        for name in given:
            if name not in names:
                words = f"got an unexpected keyword argument '{name}'"
                raise OdooError("werkzeug.exceptions.UnprocessableEntity", words, 422)
        if method in ("create", "write") and names[0] not in given:
            words = f"missing a required argument: '{names[0]}'"
            raise OdooError("werkzeug.exceptions.UnprocessableEntity", words, 422)

    def _json_rpc(self, request: Request) -> Response:
        """HTTP 200 whatever happens; None leaves no ``result`` at all."""
        envelope: dict[str, Any] = {"jsonrpc": "2.0", "id": None}
        try:
            body = json.loads(request.body)
            envelope["id"] = body.get("id")
            result = self._dispatch(body["params"])
            if result is not None:
                envelope["result"] = result
        except OdooError as error:
            envelope["error"] = {"code": 200, "message": "Odoo Server Error", "data": _error_data(error)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            data = _error_data(OdooError(f"builtins.{type(error).__name__}", str(error), 200))
            envelope["error"] = {"code": 200, "message": "Odoo Server Error", "data": data}
        return json_response(envelope)

    def _dispatch(self, params: dict[str, Any]) -> Any:
        service, method, args = params["service"], params["method"], params["args"]
        if service == "common":
            return self._common(method, args)
        database, uid, key, model, name, *rest = args
        if database != facts.ODOO_DATABASE:
            words = f'connection to server failed: FATAL:  database "{database}" does not exist\n'
            raise OdooError("psycopg2.OperationalError", words, 200)
        if uid != facts.ODOO_UID or key != facts.ODOO_KEY:
            raise OdooError("odoo.exceptions.AccessDenied", "Access Denied", 403)
        if model not in MODELS:
            raise user_error(f"Object {model} doesn't exist")
        if name.startswith("_"):
            words = f"Private methods (such as '{model}.{name}') cannot be called remotely."
            raise OdooError("odoo.exceptions.AccessError", words, 403)
        positional, named = (list(rest[0]) if rest else []), dict(rest[1]) if len(rest) > 1 else {}
        return self._execute(model, name, positional, named)

    def _execute(self, model: str, name: str, positional: list[Any], named: dict[str, Any]) -> Any:
        context = named.pop("context", {})
        on_records, names = SIGNATURES.get(name, (False, ()))
        ids: tuple[int, ...] = ()
        if on_records:
            first = positional.pop(0) if positional else named.pop("ids", [])
            ids = (first,) if isinstance(first, int) else tuple(first)
        args = {**dict(zip(names, positional, strict=False)), **named}
        result = self._methods.run(Call(model, name, ids, args, context))
        single = name == "create" and not isinstance(args.get("vals_list"), list)
        return result[0] if single else result

    def _common(self, method: str, args: list[Any]) -> Any:
        if method == "version":
            version = f"{self._methods.version}.0"
            return {"server_version": version, "server_serie": version, "protocol_version": 1}
        database, login, key = args[0], args[1], args[2]
        good = database == facts.ODOO_DATABASE and login == facts.ODOO_LOGIN and key == facts.ODOO_KEY
        return facts.ODOO_UID if method in ("authenticate", "login") and good else False
