"""Odoo's kits: bills of material of the type ``phantom``, which a sale takes apart.  Only with the Manufacturing app.

Source: odoo/odoo ``addons/mrp/models/mrp_bom.py`` (``_bom_find``, ``_skip_bom_line``) and ``addons/uom``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from integration_hub.kernel.errors import Misconfigured, Rejected
from integration_hub.kernel.text import say

from ._odoo_rpc import OdooRpc, Row

BOMS = 200
_BOM = ["product_id", "product_tmpl_id", "product_qty", "product_uom_id"]
_LINE = ["bom_id", "product_id", "product_qty", "product_uom_id", "bom_product_template_attribute_value_ids"]
_PHANTOM = ["type", "=", "phantom"]


class Kits:
    """What the kits among variants are made of."""

    def __init__(self, rpc: OdooRpc) -> None:
        self._rpc = rpc

    @cached_property
    def _there(self) -> bool:
        try:
            return bool(self._rpc.known("mrp.bom", ["type"]))
        except Rejected:  # no such model
            return False

    @cached_property
    def _upwards(self) -> bool:
        """Until 18 a unit's factor says how many of it make the reference, since then how many of the reference it makes."""
        return "relative_factor" in self._rpc.known("uom.uom", ["relative_factor"])

    def changed(self, since: datetime, after: int) -> tuple[list[Any], str | None]:
        """The domain of variants whose kit or one of its lines was written; and the token of the next ones."""
        if not self._there:
            return [], None
        at = since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        written = ["|", ["write_date", ">=", at], ["bom_line_ids.write_date", ">=", at]]
        domain = [["id", ">", after], _PHANTOM, *written]
        boms = self._rpc.rows("mrp.bom", "search_read", domain=domain, names=_BOM, order="id", limit=BOMS)
        more = f"kit:{boms[-1]['id']}" if len(boms) == BOMS else None
        templates = sorted({bom["product_tmpl_id"][0] for bom in boms if bom["product_tmpl_id"]})
        return ([["product_tmpl_id", "in", templates]] if templates else []), more

    def among(self, variants: Sequence[Row]) -> frozenset[int]:
        """Those of these variants that are kits."""
        return frozenset(self._boms(variants))

    def parts(self, variants: Sequence[Row]) -> dict[int, Row]:
        """By variant that is a kit: how many its list makes, and the lines that hold for it, all with their units' factors."""
        boms = self._boms(variants)
        lines = self._lines(sorted({bom["id"] for bom in boms.values()}))
        values = self._attributes(lines)
        counted = [*boms.values(), *(line for of in lines.values() for line in of)]
        units = self._units([*(row["product_uom_id"] for row in counted), *(row["uom_id"] for row in variants)])
        codes = self._articles(lines)
        found = {}
        for variant in variants:
            if bom := boms.get(variant["id"]):
                own = set(variant.get("product_template_attribute_value_ids", ()))
                held = [line for line in lines[bom["id"]] if _holds(line, own, values)]
                parts = [{**self._counted(line, units), **codes[line["product_id"][0]]} for line in held]
                makes = {**self._counted(bom, units), "own_factor": units[variant["uom_id"][0]]["factor"]}
                found[variant["id"]] = {"makes": makes, "parts": parts}
        return found

    def _counted(self, row: Row, units: Mapping[int, Row]) -> Row:
        factor = units[row["product_uom_id"][0]]["factor"]
        return {"quantity": row["product_qty"], "factor": factor, "upwards": self._upwards}

    def _boms(self, variants: Sequence[Row]) -> dict[int, Row]:
        """The first kit of each variant in Odoo's order: its own, or that of its template."""
        if not variants or not self._there:
            return {}
        variants = [row for row in variants if row["product_tmpl_id"]]  # false where the user may not see the template
        ids = [row["id"] for row in variants]
        templates = sorted({row["product_tmpl_id"][0] for row in variants})
        whose = ["|", ["product_id", "in", ids], "&", ["product_id", "=", False], ["product_tmpl_id", "in", templates]]
        domain, order = [_PHANTOM, *whose], "sequence,product_id,id"
        rows = self._rpc.rows("mrp.bom", "search_read", domain=domain, names=_BOM, order=order)
        found: dict[int, Row] = {}
        for variant in variants:
            for bom in rows:
                own = bom["product_id"] and bom["product_id"][0] == variant["id"]
                if own or (not bom["product_id"] and bom["product_tmpl_id"][:1] == variant["product_tmpl_id"][:1]):
                    found.setdefault(variant["id"], bom)
        return found

    def _lines(self, boms: Sequence[int]) -> defaultdict[int, list[Row]]:
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in self._rpc.every("mrp.bom.line", [["bom_id", "in", list(boms)]], _LINE) if boms else ():
            found[row["bom_id"][0]].append(row)
        return found

    def _attributes(self, lines: Mapping[int, Sequence[Row]]) -> dict[int, int]:
        """The attribute of each value that a line is bound to."""
        ids = sorted(
            {n for of in lines.values() for line in of for n in line["bom_product_template_attribute_value_ids"]}
        )
        rows = self._read("product.template.attribute.value", ids, ["attribute_id"])
        return {row["id"]: row["attribute_id"][0] for row in rows}

    def _units(self, units: Sequence[Any]) -> dict[int, Row]:
        ids = sorted({unit[0] for unit in units})
        return {row["id"]: row for row in self._read("uom.uom", ids, ["factor"])}

    def _read(self, model: str, ids: Sequence[int], names: Sequence[str]) -> Iterable[Row]:
        """Archived ones too, and without those of other companies, which a plain read would refuse."""
        return self._rpc.every(model, [["id", "in", list(ids)]], names, active_test=False) if ids else ()

    def _articles(self, lines: Mapping[int, Sequence[Row]]) -> dict[int, Row]:
        """Id, number and the factor of the own unit of every part.  Raises Misconfigured for one that is not shown to us."""
        ids = sorted({line["product_id"][0] for of in lines.values() for line in of})
        rows = list(self._read("product.product", ids, ["default_code", "uom_id"]))
        if hidden := sorted(set(ids) - {row["id"] for row in rows}):
            words = say("The Odoo user does not see the parts %(parts)s of a kit.", parts=", ".join(map(str, hidden)))
            raise Misconfigured(words, code="refused_rights")
        units = self._units([row["uom_id"] for row in rows])
        return {
            row["id"]: {
                "product": row["id"],
                "code": row["default_code"] or "",
                "own_factor": units[row["uom_id"][0]]["factor"],
            }
            for row in rows
        }


def _holds(line: Row, own: set[int], attributes: Mapping[int, int]) -> bool:
    """Whether a line holds for a variant: of each attribute that it is bound to, the variant has one of its values."""
    wanted: defaultdict[int, set[int]] = defaultdict(set)
    for number in line["bom_product_template_attribute_value_ids"]:
        wanted[attributes[number]].add(number)
    return all(values & own for values in wanted.values())
