"""What can be called on the played ERP's models, by the names and arguments of Odoo's own methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from . import odoo_back, odoo_sales
from .odoo_domain import Search
from .odoo_schema import MODELS, OdooError, bad_field, kind, missing, schema_of, shown, stamp, user_error
from .store import Record
from .world import World

# Method -> whether it is called on records (ids), and its arguments by name in their order.
SIGNATURES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "search": (False, ("domain", "offset", "limit", "order")),
    "search_read": (False, ("domain", "fields", "offset", "limit", "order")),
    "search_count": (False, ("domain", "limit")),
    "create": (False, ("vals_list",)),
    "fields_get": (False, ("allfields", "attributes")),
    "read": (True, ("fields", "load")),
    "write": (True, ("vals",)),
    "unlink": (True, ()),
    "action_confirm": (True, ()),
    "action_cancel": (True, ()),
    "action_assign": (True, ()),
    "action_post": (True, ()),
    "action_validate": (True, ()),
    "button_validate": (True, ()),
    "message_post": (True, ("body",)),
}
WRITING = frozenset(SIGNATURES) - {"search", "search_read", "search_count", "fields_get", "read"}
BUTTONS = {
    "action_confirm": {"sale.order", "stock.picking"},
    "action_cancel": {"sale.order"},
    "action_assign": {"stock.picking"},
    "action_post": {"account.payment"},
    "button_validate": {"stock.picking"},
    "action_validate": {"stock.scrap"},
    "message_post": {"sale.order"},
}


@dataclass(frozen=True)
class Call:
    """One call in neutral form; ``args`` by name."""

    model: str
    method: str
    ids: tuple[int, ...]
    args: dict[str, Any]
    context: dict[str, Any]


class Methods:
    """Carries out calls; raises OdooError as Odoo would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = world.store
        self._of: dict[str, Callable[[Call], Any]] = {
            "search": lambda call: [row["id"] for row in self._found(call)],
            "search_read": self._search_read,
            "search_count": lambda call: len(self._found(call)),
            "create": self._create,
            "fields_get": self._fields_get,
            "read": self._read,
            "write": self._write,
            "unlink": self._unlink,
            "action_confirm": self._confirm,
            "action_cancel": self._cancel,
            "action_assign": lambda call: all(odoo_back.assign(self._world, row) for row in self._records(call)),
            "button_validate": lambda call: all(odoo_back.validate(self._world, row) for row in self._records(call)),
            "action_validate": lambda call: all(odoo_back.scrap(self._world, row) for row in self._records(call)),
            "message_post": self._message,
            "action_post": lambda call: any(odoo_back.post(self._world, row) for row in self._records(call)),
        }

    @property
    def version(self) -> str:
        return str(self._world.switch("odoo_version"))

    def run(self, call: Call) -> Any:
        """One call is one transaction: nobody else reads or writes in between."""
        if call.method not in self._of or call.model not in BUTTONS.get(call.method, {call.model}):
            words = f"The method '{call.model}.{call.method}' does not exist"
            raise OdooError("builtins.AttributeError", words, 404)
        with self._world.lock:
            return self._of[call.method](call)

    def _found(self, call: Call) -> list[Record]:
        search = Search(self._store, call.model, self.version)
        rows = search.find(call.args.get("domain") or [], call.context.get("active_test", True))
        for part in reversed((call.args.get("order") or "").split(",")):
            if part.strip():
                name, *way = part.split()
                kind(schema_of(call.model, self.version), call.model, name)
                rows.sort(key=lambda row, name=name: (row.get(name) or 0) if name == "id" else str(row.get(name) or ""))  # type: ignore[misc]
                rows = rows[::-1] if way and way[0].lower() == "desc" else rows
        start = call.args.get("offset") or 0
        limit = call.args.get("limit")
        return rows[start : start + limit if limit else None]

    def _names(self, call: Call) -> list[str]:
        schema = schema_of(call.model, self.version)
        names: list[str] = call.args.get("fields") or list(schema)
        for name in names:
            kind(schema, call.model, name)
        return names

    def _search_read(self, call: Call) -> list[Record]:
        names = self._names(call)
        return [shown(self._store, call.model, row, names, self.version) for row in self._found(call)]

    def _records(self, call: Call) -> list[Record]:
        found = [(number, self._store.get(call.model, number)) for number in call.ids]
        for number, row in found:
            if row is None:
                raise missing(call.model, number)
        return [row for _, row in found if row is not None]

    def _read(self, call: Call) -> list[Record]:
        names = self._names(call)
        return [shown(self._store, call.model, row, names, self.version) for row in self._records(call)]

    def _fields_get(self, call: Call) -> dict[str, Any]:
        wanted = call.args.get("allfields")
        fields = {"id": "integer", **schema_of(call.model, self.version)}
        return {
            name: {"type": of.split(":")[0], "string": name.replace("_", " ").capitalize(), "readonly": False}
            for name, of in fields.items()
            if not wanted or name in wanted
        }

    def _create(self, call: Call) -> list[int]:
        given = call.args.get("vals_list") or {}
        return [self._make(call.model, vals) for vals in (given if isinstance(given, list) else [given])]

    def _make(self, model: str, vals: Record) -> int:
        number = self._store.next_id(model)
        now = stamp(self._world.now())
        row: Record = {"id": number, "create_date": now, "write_date": now}
        if "active" in MODELS[model]:
            row["active"] = True
        if model == "sale.order":
            row |= {"name": f"S{number:05d}", "state": "draft", "date_order": now, "currency_id": 1}
            self._require(model, vals, "partner_id")
        elif model == "product.product":
            template = self._store.add("product.template", {"name": vals.get("name") or ""})
            company = self._store.rows("res.company")[0]  # Odoo computes a product's currency from its company
            row |= {"product_tmpl_id": template["id"], "uom_id": 1, "type": "consu"}
            row |= {"currency_id": company["currency_id"]}
        elif model in odoo_back.BEGUN:
            row |= odoo_back.begun(self._world, model, number, vals)
        elif model == "res.partner":
            self._require(model, vals, "name" if vals.get("type") in (None, "contact") else "")
        self._apply(model, row, vals)
        return number

    def _require(self, model: str, vals: Record, name: str) -> None:
        if name and not vals.get(name):
            words = f"The operation cannot be completed: Create/update: a mandatory field is not set: {name} ({model})"
            raise OdooError("odoo.exceptions.ValidationError", words, 422)

    def _write(self, call: Call) -> bool:
        for row in self._records(call):
            self._apply(call.model, row, call.args.get("vals") or {})
        return True

    def _apply(self, model: str, row: Record, vals: Record) -> None:
        """Check everything first, as a rolled back transaction leaves nothing; then store, lines last."""
        schema = schema_of(model, self.version)
        lines = []
        clean: Record = {}
        for name, value in vals.items():
            of = kind(schema, model, name)
            if of.type == "one2many":
                lines += [(of, command) for command in value]
            else:
                clean["tax_id" if name == "tax_ids" else name] = self._checked(of.type, of.model, value)
        for of, command in lines:
            self._check_line(of.model, command)
        self._price_list(model, clean)
        before = dict(row)
        row.update(clean, write_date=stamp(self._world.now()))
        self._store.put(model, row)
        if model == "sale.order.line":
            odoo_back.line_changed(self._world, before, row, clean)
        for of, command in lines:
            self._line(of.model, of.back, row["id"], command)
        if model == "sale.order":
            odoo_sales.total_up(self._world, row)
        if model == "stock.picking":
            odoo_back.joined(self._world, row)

    def _price_list(self, model: str, clean: Record) -> None:
        chosen = self._store.get("product.pricelist", clean.get("pricelist_id") or 0) if model == "sale.order" else None
        if chosen:
            clean["currency_id"] = chosen["currency_id"]

    def _checked(self, kind_type: str, model: str, value: Any) -> Any:
        if kind_type == "many2one" and value:
            self._must_exist(model, value)
        if kind_type == "many2many":
            numbers = [number for command in value for number in (command[2] if command[0] == 6 else [command[1]])]
            for number in numbers:
                self._must_exist(model, number)
            return numbers
        return value

    def _must_exist(self, model: str, number: Any) -> None:
        if not isinstance(number, int) or self._store.get(model, number) is None:
            raise missing(model, number)

    def _check_line(self, model: str, command: list[Any]) -> None:
        if command[0] == 0:
            schema = schema_of(model, self.version)
            for name, value in command[2].items():
                of = kind(schema, model, name)
                self._checked(of.type, of.model, value)
        elif command[0] == 1:
            self._must_exist(model, command[1])

    def _line(self, model: str, back: str, owner: int, command: list[Any]) -> None:
        if command[0] == 5:
            for old in self._store.where(model, back, owner):
                self._store.remove(model, old["id"])
        elif command[0] == 1:
            self._apply(model, self._store.get(model, command[1]) or {}, command[2])
        elif command[0] == 0 and model == "stock.move":
            self._store.put(model, odoo_back.move(self._world, owner, command[2]))
        elif command[0] == 0:
            values = {("tax_id" if name == "tax_ids" else name): value for name, value in command[2].items()}
            line = {"id": self._store.next_id(model), back: owner, "product_uom_qty": 1.0, **values}
            line["tax_id"] = self._checked("many2many", "account.tax", line.get("tax_id") or [])
            odoo_sales.price_line(self._world, line)
            self._store.put(model, line)
        else:
            raise bad_field(model, f"command {command[0]}")

    def _unlink(self, call: Call) -> bool:
        for row in self._records(call):
            if call.model == "sale.order" and row["state"] not in ("draft", "cancel"):
                raise user_error(
                    "You can not delete a sent quotation or a confirmed sales order. You must first cancel it."
                )
            self._store.remove(call.model, row["id"])
        return True

    def _message(self, call: Call) -> int:
        """Odoo escapes what is no markup and keeps it as HTML."""
        body = f"<p>{escape(call.args['body'])}</p>"
        notes = [{"model": call.model, "res_id": row["id"], "body": body} for row in self._records(call)]
        return [int(self._store.add("mail.message", note)["id"]) for note in notes][-1]

    def _confirm(self, call: Call) -> bool:
        if call.model == "stock.picking":
            return all(odoo_back.confirm(self._world, row) for row in self._records(call))
        return all(odoo_sales.confirm(self._world, sale) for sale in self._records(call))

    def _cancel(self, call: Call) -> Any:
        """Without ``disable_cancel_warning`` a confirmed sale answers with a wizard and nothing happens."""
        sales = self._records(call)
        if not call.context.get("disable_cancel_warning") and any(sale["state"] != "draft" for sale in sales):
            context = {"default_order_id": sales[0]["id"], "mark_so_as_canceled": True}
            action = {"type": "ir.actions.act_window", "res_model": "sale.order.cancel", "view_mode": "form"}
            return {**action, "name": "Cancel Sales Order", "target": "new", "context": context}
        for sale in sales:
            odoo_sales.cancel(self._world, sale)
        return True
