"""Take a sale back in Tryton, or part of it, as far as nothing of it is packed.

Over REST, without Tryton's wizards: shipments are cancelled, what was cancelled is marked as ignored (which is what the
wizard for shipment exceptions does), and ``process`` lets the sale go on.  Part of a sale is split off first: what is to
stay is left in its shipment, ``process`` makes a shipment of the rest, and that is cancelled.  A note at the sale keeps
what is to stay, so that a second try ends where the first one was going.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from integration_hub.kernel.aftersales import CancelSale, GoodsLine
from integration_hub.kernel.errors import Rejected, RetryLater
from integration_hub.kernel.messages import Written
from integration_hub.kernel.text import say

from ._tryton_rest import Rest, Row
from ._tryton_rows import quantity

OPEN = ("draft", "waiting", "assigned")  # states of a shipment that nobody has packed
LEFT = ("picked", "packed", "shipped", "done")
ROUNDS = 9  # a split, its cancellation and their traces; more where an earlier try was cut short
_KEPT = re.compile(r"([0-9]+)=([0-9.]+)")
_SHIPMENT = ("state", *(f"outgoing_moves.{name}" for name in ("state", "quantity", "sale.id")))
_LINE = ("type", "quantity", "product.id", "product.code", "product.type")
_MOVES = ("state", "quantity")
FIELDS = (
    *("number", "state", "shipment_state", "invoice_state", "invoices.state", "invoices_ignored.id"),
    *(f"shipments.{name}" for name in _SHIPMENT),
    *(f"lines.{name}" for name in _LINE),
    *(f"lines.moves.{name}" for name in _MOVES),
    "lines.moves_ignored.id",
)
_PARTS = (*(f"lines.components.moves.{name}" for name in _MOVES), "lines.components.moves_ignored.id")


@dataclass
class Canceller:
    """Carries out one wish."""

    rest: Rest
    shop: int
    command: CancelSale

    def find(self) -> Written | None:
        """The sale, if it stands as the wish wants it."""
        sale = self._sale()
        keep = self._kept(sale)
        return self._written(sale, was_there=True) if self._done(sale, keep) else None

    def carry_out(self) -> Written:
        """Bring the sale there.  Raises Rejected (``already_shipped``) for what is packed or has left."""
        sale = self._sale()
        keep = self._kept(sale)
        if self._done(sale, keep):
            return self._written(sale, was_there=True)
        if sale["state"] in ("draft", "quotation", "confirmed"):
            return self._written(self._undone(sale), was_there=False)
        if keep is None:
            keep = self._wanted(sale)
            self._remember(sale, keep)
        for _ in range(ROUNDS):
            if self._done(sale, keep):
                return self._written(sale, was_there=False)
            self._step(sale, keep)
            sale = self._sale()
        raise RetryLater(say("The sale was changed while it was being written."), code="changed_meanwhile")

    def _sale(self) -> Row:
        known = self.rest.rows("ir.model.field", [["model", "=", "sale.line"], ["name", "=", "components"]], ["name"])
        fields = (*FIELDS, *_PARTS) if known else FIELDS
        domain = [["web_shop", "=", self.shop], ["web_id", "=", self.command.sale_reference]]
        found = self.rest.search("sale.sale", domain, fields)
        if not found:
            raise Rejected(say("The sale is gone from Tryton."), code="sale_gone")
        return found[0]

    def _undone(self, sale: Row) -> Row:
        """Not processed yet: as a whole it is simply cancelled."""
        if self.command.lines:
            raise Rejected(
                say("The sale is not processed in Tryton yet; only the whole can be taken back."), code="not_processed"
            )
        if sale["state"] == "confirmed":
            self.rest.press("sale.sale", sale["id"], "draft")
        self.rest.press("sale.sale", sale["id"], "cancel")
        return self._sale()

    def _done(self, sale: Row, keep: Mapping[int, Decimal] | None) -> bool:
        """Whether no more than this is still to be delivered, and nothing waits for somebody."""
        if sale["state"] == "cancelled":
            return True
        if keep is None or sale["state"] not in ("processing", "done"):
            return False
        settled = "exception" not in (sale["shipment_state"], sale["invoice_state"]) and not _open_invoices(sale, keep)
        return settled and not (_excess(sale, keep) or _drafts(sale) or _unmade(sale))

    def _wanted(self, sale: Row) -> dict[int, Decimal]:
        """By line of the sale, how much is still to be delivered afterwards."""
        if any(shipment["state"] in LEFT for shipment in sale["shipments"]) and not self.command.lines:
            raise _shipped()
        for shipment in sale["shipments"]:
            if any((move["sale"] or {}).get("id") != sale["id"] for move in shipment["outgoing_moves"]):
                raise Rejected(say("The shipment in Tryton holds other sales as well."), code="shared_shipment")
        keep = {line["id"]: _open(line) for line in sale["lines"] if line["type"] == "line"}
        if not self.command.lines:
            return dict.fromkeys(keep, Decimal(0))
        for wish in self.command.lines:
            self._take(sale["lines"], keep, wish)
        return keep

    def _take(self, lines: Sequence[Row], keep: dict[int, Decimal], wish: GoodsLine) -> None:
        rest = wish.quantity
        for line in [line for line in lines if line["id"] in keep and _means(wish, line["product"])]:
            if line["product"]["type"] == "kit":
                raise Rejected(
                    say("Tryton has taken the set %(sku)s apart; only the whole sale can be taken back.", sku=wish.sku),
                    code="set_in_sale",
                )
            taken = min(rest, keep[line["id"]])
            keep[line["id"]] -= taken
            rest -= taken
        if rest:
            raise _shipped()

    def _marker(self) -> str:
        return f"[{self.command.key}]"

    def _kept(self, sale: Row) -> dict[int, Decimal] | None:
        """What an earlier try wrote down; None for none."""
        domain = [["resource", "=", f"sale.sale,{sale['id']}"], ["message", "like", f"{self._marker()}%"]]
        notes = self.rest.search("ir.note", domain, ["message"], order=[["id", "ASC"]])
        texts = [row["message"].splitlines()[0] for row in notes]
        own = next((text for text in texts if text.startswith(self._marker())), None)
        return {int(line): Decimal(number) for line, number in _KEPT.findall(own)} if own is not None else None

    def _remember(self, sale: Row, keep: Mapping[int, Decimal]) -> None:
        kept = " ".join(f"{line}={number}" for line, number in sorted(keep.items()))
        message = f"{self._marker()} {kept}\n{self.command.reason}"
        self.rest.create("ir.note", {"resource": f"sale.sale,{sale['id']}", "message": message})

    def _step(self, sale: Row, keep: Mapping[int, Decimal]) -> None:
        """The next thing to do, whoever did the one before."""
        for shipment in _drafts(sale):
            self.rest.press("stock.shipment.out", shipment["id"], "wait")
        if _unmade(sale):
            self.rest.press("sale.sale", sale["id"], "process")
            return
        excess = _excess(sale, keep)
        if excess and not self._cancel_whole(sale, excess):
            self._split(sale, excess)
            return
        for invoice in _open_invoices(sale, keep):
            self.rest.press("account.invoice", invoice["id"], "cancel")
        self._ignore(self._sale())

    def _cancel_whole(self, sale: Row, excess: Mapping[int, Decimal]) -> bool:
        """Cancel the shipments that hold nothing but what is too much."""
        left, done = dict(excess), False
        for shipment in sorted(sale["shipments"], key=lambda row: -row["id"]):
            holds = _holding(sale, shipment)
            if shipment["state"] in OPEN and holds and all(left.get(line, 0) >= n for line, n in holds.items()):
                self.rest.press("stock.shipment.out", shipment["id"], "cancel")
                left |= {line: left[line] - number for line, number in holds.items()}
                done = True
        return done

    def _split(self, sale: Row, excess: Mapping[int, Decimal]) -> None:
        """Leave in one shipment what is to stay; Tryton makes another of the rest."""
        for shipment in sale["shipments"]:
            moves = [(line, move) for line, move in _moves_of(sale, shipment) if excess.get(line)]
            if shipment["state"] not in OPEN or not moves:
                continue
            if shipment["state"] == "assigned":
                self.rest.press("stock.shipment.out", shipment["id"], "wait")
            self.rest.press("stock.shipment.out", shipment["id"], "draft")
            left = dict(excess)
            for line, move in moves:
                taken = min(left[line], move["quantity"])
                left[line] -= taken
                self._shrink(move, move["quantity"] - taken)
            self.rest.press("stock.shipment.out", shipment["id"], "wait")
            self.rest.press("sale.sale", sale["id"], "process")
            return
        raise _shipped()

    def _shrink(self, move: Row, number: Decimal) -> None:
        if number:
            self.rest.write("stock.move", move["id"], {"quantity": number})
        else:
            self.rest.delete("stock.move", move["id"])

    def _ignore(self, sale: Row) -> None:
        """What was cancelled is not made again."""
        lines = [["write", [line["id"]], change] for line in sale["lines"] if (change := _ignored(line))]
        known = {row["id"] for row in sale["invoices_ignored"]}
        gone = [row["id"] for row in sale["invoices"] if row["state"] == "cancelled" and row["id"] not in known]
        values: Row = {"lines": lines} if lines else {}
        if gone:
            values["invoices_ignored"] = [["add", gone]]
        if values:
            self.rest.write("sale.sale", sale["id"], values)
        self.rest.press("sale.sale", sale["id"], "process")

    def _written(self, sale: Row, *, was_there: bool) -> Written:
        return Written(
            external_id=str(sale["id"]),
            number=sale["number"] or "",
            vendor_status=f"{sale['state']} / {sale['shipment_state']}",
            was_there=was_there,
        )


def _shipped() -> Rejected:
    return Rejected(say("Goods of this sale are packed or have left the house."), code="already_shipped")


def _means(wish: GoodsLine, product: Row | None) -> bool:
    if product is None:
        return False
    return str(product["id"]) == wish.product_id if wish.product_id else product["code"] == wish.sku


def _moves(line: Row) -> Iterator[Row]:
    yield from line["moves"]
    for part in line.get("components") or ():
        yield from part["moves"]


def _open(line: Row) -> Decimal:
    """How much of a line is still to be delivered."""
    live = (move for move in _moves(line) if move["state"] not in ("done", "cancelled"))
    return sum((quantity(move["quantity"], "quantity") for move in live), Decimal(0))


def _excess(sale: Row, keep: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """By line, how much more is to be delivered than shall be."""
    found = {line["id"]: _open(line) - keep[line["id"]] for line in sale["lines"] if line["id"] in keep}
    return {line: number for line, number in found.items() if number > 0}


def _drafts(sale: Row) -> list[Row]:
    """Shipments that were opened to be changed and never closed."""
    return [row for row in sale["shipments"] if row["state"] == "draft" and row["outgoing_moves"]]


def _unmade(sale: Row) -> bool:
    """Whether Tryton would make moves of this sale with its next ``process``: of what was taken out of a shipment."""
    lines = [line for line in sale["lines"] if line["type"] == "line" and line["product"] and line["moves"]]
    return any(sum(quantity(m["quantity"], "quantity") for m in line["moves"]) < line["quantity"] for line in lines)


def _moves_of(sale: Row, shipment: Row) -> Iterator[tuple[int, Row]]:
    """The outgoing moves of a shipment that are still to go, with their lines."""
    lines = {move["id"]: line["id"] for line in sale["lines"] for move in _moves(line)}
    for move in shipment["outgoing_moves"]:
        if move["state"] not in ("done", "cancelled") and move["id"] in lines:
            yield lines[move["id"]], move | {"quantity": quantity(move["quantity"], "quantity")}


def _holding(sale: Row, shipment: Row) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for line, move in _moves_of(sale, shipment):
        found[line] = found.get(line, Decimal(0)) + move["quantity"]
    return found


def _open_invoices(sale: Row, keep: Mapping[int, Decimal]) -> list[Row]:
    """Drafts of invoices over a sale of which nothing stays; what is posted is for the accountants."""
    stays = any(keep.values()) or any(shipment["state"] in LEFT for shipment in sale["shipments"])
    return [] if stays else [row for row in sale["invoices"] if row["state"] in ("draft", "validated")]


def _ignored(line: Row) -> Row:
    values: Row = {}
    if gone := _gone(line):
        values["moves_ignored"] = [["add", gone]]
    parts = [
        ["write", [part["id"]], {"moves_ignored": [["add", _gone(part)]]}]
        for part in line.get("components") or ()
        if _gone(part)
    ]
    return values | ({"components": parts} if parts else {})


def _gone(row: Row) -> list[int]:
    """Moves that were cancelled and are not marked so."""
    known = {move["id"] for move in row["moves_ignored"]}
    return [move["id"] for move in row["moves"] if move["state"] == "cancelled" and move["id"] not in known]
