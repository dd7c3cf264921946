"""The small GraphQL reader: what the specification says, and errors where a client is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from integration_hub.sandbox.graphql import GraphqlError, execute, is_mutation

ORDER = {
    "__typename": "Order",
    "id": "gid://shopify/Order/1",
    "tags": ["a", "b"],
    "note": None,
    "lines": [{"__typename": "LineItem", "sku": "A"}, {"__typename": "LineItem", "sku": "B"}],
    "echo": lambda **given: {"__typename": "Echo", "given": str(sorted(given.items()))},
}
ROOT = {"__typename": "QueryRoot", "order": ORDER, "nothing": None}


def run(text: str, **variables: Any) -> Any:
    return execute(text, variables, "", {"query": ROOT, "mutation": {"__typename": "Mutation", "go": ORDER}}).data


def test_fields_lists_nulls_and_aliases() -> None:
    text = "{ o: order { id tags note lines { code: sku } } nothing { id } }"
    assert run(text) == {
        "o": {"id": ORDER["id"], "tags": ["a", "b"], "note": None, "lines": [{"code": "A"}, {"code": "B"}]},
        "nothing": None,
    }


def test_arguments_of_every_kind() -> None:
    text = """query Q($n: Int!, $list: [ID!], $off: String, $d: String = "x") { # a comment, with marks { } "
      order { echo(n: $n, list: $list, off: $off, d: $d, s: "ü\\n\\"", e: UPDATED_AT, b: true, z: null, f: -1.5e2,
                   o: {a: [1, 2], v: $n}, t: \"\"\"block "text\"\"\") { given } } }"""
    expected = {
        "n": 3,
        "list": ["i"],
        "d": "x",
        "s": 'ü\n"',
        "e": "UPDATED_AT",
        "b": True,
        "z": None,
        "f": -150.0,
        "o": {"a": [1, 2], "v": 3},
        "t": 'block "text',
    }
    assert run(text, n=3, list=["i"]) == {"order": {"echo": {"given": str(sorted(expected.items()))}}}


def test_fragments_fit_their_type_only() -> None:
    text = """query { order { ...Head ... on Order { tags } ... on Customer { email } ... @include(if: false) { note } } }
      fragment Head on Order { id }"""
    assert run(text) == {"order": {"id": ORDER["id"], "tags": ["a", "b"]}}


def test_include_and_skip() -> None:
    text = "query($yes: Boolean!) { order { id @include(if: $yes) tags @skip(if: $yes) } }"
    assert run(text, yes=True) == {"order": {"id": ORDER["id"]}}
    assert run(text, yes=False) == {"order": {"tags": ["a", "b"]}}


def test_the_same_field_twice_is_merged() -> None:
    assert run("{ order { id } order { tags } }") == {"order": {"id": ORDER["id"], "tags": ["a", "b"]}}


def test_one_of_several_operations_is_chosen_by_name() -> None:
    text = "query A { order { id } } query B { order { tags } }"
    assert execute(text, {}, "B", {"query": ROOT}).data == {"order": {"tags": ["a", "b"]}}


@pytest.mark.parametrize(
    "text",
    [
        "{ order { price } }",
        "{ order }",
        "{ order { id { x } } }",
        "{ order { ...Missing } }",
        "{ order { id }",
        "{ order { id } } }",
        "query($id: ID!) { order { id } }",
        "subscription { order { id } }",
        "query A { order { id } } query B { order { id } }",
        "{ order { id } ; }",
        "",
    ],
)
def test_a_clients_mistake_is_an_error(text: str) -> None:
    with pytest.raises(GraphqlError):
        run(text)


def test_an_argument_that_a_field_does_not_take_is_an_error() -> None:
    root = {"query": {"order": lambda id: ORDER}}
    with pytest.raises(GraphqlError):
        execute('{ order(number: "1") { id } }', {}, "", root)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mutation M { go }", True),
        ("# c\n  mutation { go }", True),
        ("query mutation { x }", False),
        ("{ mutation }", False),
    ],
)
def test_mutations_are_known_as_such(text: str, expected: bool) -> None:
    assert is_mutation(text) is expected
