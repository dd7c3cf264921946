"""Reads GraphQL documents: fields, arguments, variables, aliases, fragments, directives (specification, October 2021)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'(?P<skip>[\s,\ufeff]+|#[^\n]*)|(?P<block>"""(?:\\"""|[^"]|"(?!""))*""")|(?P<string>"(?:\\.|[^"\\\n])*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<name>[_A-Za-z]\w*)|(?P<mark>\.\.\.|[!$&()\[\]{}:=@|])"
)
_WORDS = {"true": True, "false": False, "null": None}


class GraphqlError(Exception):
    """What the client did wrong, in words; ``code`` as in Shopify's ``extensions.code``."""

    def __init__(self, message: str, code: str = "") -> None:
        self.message = message
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class Variable:
    """A reference to a variable, resolved when the query runs."""

    name: str


@dataclass
class Selection:
    """A field, or (with ``on``) an inline fragment, or (with ``spread``) the name of a fragment."""

    name: str = ""
    alias: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    directives: dict[str, dict[str, Any]] = field(default_factory=dict)
    selections: list[Selection] = field(default_factory=list)
    on: str = ""
    spread: str = ""


@dataclass
class Operation:
    """A query or mutation with the defaults of its variables."""

    kind: str
    name: str
    defaults: dict[str, Any]
    required: set[str]
    selections: list[Selection]


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def document(self) -> tuple[list[Operation], dict[str, Selection]]:
        operations: list[Operation] = []
        fragments: dict[str, Selection] = {}
        while self._peek():
            if self._peek() == "fragment":
                self._take()
                name = self._take()
                self._expect("on")
                fragments[name] = Selection(on=self._take(), selections=self._selections())
            else:
                operations.append(self._operation())
        return operations, fragments

    def _operation(self) -> Operation:
        if self._peek() == "{":
            return Operation("query", "", {}, set(), self._selections())
        kind, name = self._take(), ""
        if self._peek() not in ("(", "{", "@"):
            name = self._take()
        defaults, required = self._definitions()
        self._directives()
        return Operation(kind, name, defaults, required, self._selections())

    def _definitions(self) -> tuple[dict[str, Any], set[str]]:
        defaults: dict[str, Any] = {}
        required: set[str] = set()
        if self._accept("("):
            while not self._accept(")"):
                self._expect("$")
                name = self._take()
                self._expect(":")
                needed = self._type()
                if self._accept("="):
                    defaults[name] = self._value()
                elif needed:
                    required.add(name)
        return defaults, required

    def _type(self) -> bool:
        if self._accept("["):
            self._type()
            self._expect("]")
        else:
            self._take()
        return self._accept("!")

    def _selections(self) -> list[Selection]:
        found: list[Selection] = []
        self._expect("{")
        while not self._accept("}"):
            found.append(self._selection())
        return found

    def _selection(self) -> Selection:
        if self._accept("..."):
            if self._peek() in ("on", "{", "@"):
                on = self._take_after("on")
                return Selection(on=on or "*", directives=self._directives(), selections=self._selections())
            return Selection(spread=self._take(), directives=self._directives())
        name = alias = self._take()
        if self._accept(":"):
            name = self._take()
        arguments = self._arguments()
        directives = self._directives()
        inner = self._selections() if self._peek() == "{" else []
        return Selection(name, alias, arguments, directives, inner)

    def _arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._accept("("):
            while not self._accept(")"):
                name = self._take()
                self._expect(":")
                found[name] = self._value()
        return found

    def _directives(self) -> dict[str, dict[str, Any]]:
        found = {}
        while self._accept("@"):
            name = self._take()
            found[name] = self._arguments()
        return found

    def _value(self) -> Any:
        if self._accept("$"):
            return Variable(self._take())
        if self._accept("["):
            items = []
            while not self._accept("]"):
                items.append(self._value())
            return items
        if self._accept("{"):
            found = {}
            while not self._accept("}"):
                name = self._take()
                self._expect(":")
                found[name] = self._value()
            return found
        return _scalar(self._take())

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        if not token:
            raise GraphqlError("syntax error, unexpected end of file")
        self._at += 1
        return token

    def _accept(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._at += 1
        return True

    def _take_after(self, token: str) -> str:
        return self._take() if self._accept(token) else ""

    def _expect(self, token: str) -> None:
        found = self._take()
        if found != token:
            raise GraphqlError(f"syntax error, unexpected {found!r}, expecting {token!r}")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise GraphqlError(f"syntax error, unexpected invalid token ({text[at]!r})")
        at = match.end()
        if match.lastgroup != "skip":
            yield match.group()


def _scalar(token: str) -> Any:
    if token.startswith('"""'):
        return token[3:-3].strip()
    if token.startswith('"'):
        return json.loads(token)
    if token[0] == "-" or token[0].isdigit():
        return json.loads(token)
    return _WORDS.get(token, token)


def read(text: str) -> tuple[list[Operation], dict[str, Selection]]:
    """The operations of a document, and its fragments by name; raises GraphqlError."""
    return _Reader(text).document()
