"""Files of articles, mappings and bundles: tried and undone, applied whole or not at all, every wrong row named."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from integration_hub.models import Connection, User
from inventory.models import BundlePart, How, MappingStep, ShareRule, Variant
from tests import spine, standin
from tests.inventory.catalogue import article, listing, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(person: Callable[..., User]) -> Client:
    user = person("operations")
    User.objects.filter(pk=user.pk).update(language="en")
    client = Client()
    client.force_login(user)
    return client


def tried(client: Client, kind: str, text: str | bytes) -> Any:
    raw = text if isinstance(text, bytes) else text.encode()
    answer = client.post(f"/articles/files/{kind}/check/", {"file": SimpleUploadedFile("x.csv", raw)})
    return answer.context.get("tried") or answer.context["wrong"]


def applied(client: Client, kind: str, text: str) -> str:
    answer = client.post(f"/articles/files/{kind}/apply/", {"text": text}, follow=True)
    return " ".join(map(str, answer.context["messages"]))


ARTICLES = "sku;title;price;currency;pieces_only;kind\nA-1;Kanne;9,90;EUR;nein;\nA-2;Gutschein;;;;voucher_multi\n"


def test_articles_are_tried_and_then_made(operator: Client, joined: Connection, world: standin.World) -> None:
    Connection.objects.filter(slug="erp").update(role="SHOP")  # no ERP: the hub owns the articles
    spine.say(joined, standin.order(1))
    spine.run()
    assert spine.open_cases() == [("unknown_product", 1)]
    assert tried(operator, "articles", ARTICLES) == {"new": 2, "changed": 0, "same": 0, "wrong": 0, "rows": []}
    assert not Variant.objects.exists()
    assert applied(operator, "articles", ARTICLES) == "2 new, 0 changed, 0 as they were."
    made = article("A-1")
    assert (made.price, made.pieces_only, article("A-2").kind) == (Decimal("9.90"), False, "VOUCHER_MULTI")
    assert applied(operator, "articles", ARTICLES) == "0 new, 0 changed, 2 as they were."
    applied(operator, "articles", "sku\nTK-100\n")
    assert spine.open_cases() == []  # the order that waited runs on


def test_wrong_rows_are_named_and_nothing_is_kept(operator: Client, erp: Connection) -> None:
    says(erp, sku="TK-9")
    found = tried(
        operator,
        "articles",
        "sku,title,weight,deposit,kind\nTK-9,,,0.25,\nTK-9,Anders,,,\nNEU,Neu,,,\nTK-9,,viel,,\nTK-9,,,,BOAT\n",
    )
    assert [row for row, _said in found["rows"]] == [3, 4, 5, 6]
    assert found["rows"][0][1] == "title of TK-9 belongs to the ERP: change it there."
    assert "new ones come from: the ERP" in found["rows"][1][1]
    operator.post("/articles/files/articles/apply/", {"text": "sku,deposit\nTK-9,0.25\nNO,1\n"})
    assert article("TK-9").deposit is None


def test_mappings_let_orders_run_on_and_say_who(operator: Client, joined: Connection, erp: Connection) -> None:
    says(erp, id="1", sku="KANNE-1")
    says(joined, id="900", sku="TK-100", title="Teekanne")
    spine.say(joined, standin.order(1))
    spine.run()
    rows = "connection;external_id;their_sku;sku;why\nladen;900;TK-100;KANNE-1;from the old system\n"
    assert tried(operator, "mappings", rows)["new"] == 1
    assert spine.open_kinds() == {"unknown_product"}
    assert applied(operator, "mappings", rows).startswith("1 new")
    assert (listing(joined, "900").variant, spine.open_cases()) == (article("KANNE-1"), [])
    step = MappingStep.objects.latest("pk")
    assert (step.how, step.why, step.by and step.by.username) == (How.IMPORT, "from the old system", "operations")
    assert tried(operator, "mappings", rows)["same"] == 1
    wrong = tried(operator, "mappings", "connection;external_id;sku\nnowhere;1;KANNE-1\nladen;;KANNE-1\nladen;1;X\n")
    assert [row for row, _said in wrong["rows"]] == [2, 3, 4]


def test_bundles_are_the_rows_of_the_file(operator: Client, erp: Connection) -> None:
    for number, sku in enumerate(("CUP", "POT", "SET")):
        says(erp, id=str(number), sku=sku)
    text = "bundle;part;quantity;share;rule\nSET;CUP;6;40;FIXED\nSET;POT;1;60;\n"
    assert applied(operator, "bundles", text) == "0 new, 2 changed, 0 as they were."
    assert article("SET").share_rule == ShareRule.FIXED
    applied(operator, "bundles", "bundle;part;quantity\nSET;POT;2\n")
    assert [(row.part.sku, row.quantity) for row in BundlePart.objects.all()] == [("POT", Decimal(2))]
    wrong = tried(operator, "bundles", "bundle;part;quantity\nPOT;SET;1\nSET;CUP;0,5\nSET;CUP;\n")
    assert [row for row, _said in wrong["rows"]] == [2, 3, 4]
    exported = b"".join(operator.get("/articles/files/bundles/export/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert exported.splitlines()[1] == "SET;POT;2.0000;;FIXED"
    assert tried(operator, "bundles", exported)["same"] == 1


def test_no_cell_becomes_a_formula_and_comes_back_as_it_was(operator: Client, erp: Connection) -> None:
    says(erp, sku="TK-9", title='=HYPERLINK("x")')
    exported = b"".join(operator.get("/articles/files/articles/export/").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert "'=HYPERLINK" in exported
    assert tried(operator, "articles", exported)["same"] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "choose a file"),
        ("sku\n", "no rows"),
        ("title\nx\n", "columns are missing"),
        ('sku\n"x\n', "no CSV"),
        ("sku\n" + "x\n" * 5001, "more than 5000"),
    ],
)
def test_what_is_no_such_file(operator: Client, text: str, said: str) -> None:
    found = tried(operator, "articles", text)
    assert said in str(found["rows"] if isinstance(found, dict) else found)
    assert not Variant.objects.exists()


def test_a_file_of_an_old_excel_can_be_read(operator: Client) -> None:
    assert tried(operator, "articles", "sku;title\nX;Löffel\n".encode("cp1252"))["new"] == 1
