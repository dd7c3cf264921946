"""What a tax auditor gets of a span of time: tables with their columns, each one statement.

GoBD marginal numbers 165 and following (Z3, handing over of data): flat tables with a description that audit software
reads (index.xml, "Beschreibungsstandard für die Datenträgerüberlassung", version 1.0 of 2002-08-01).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """How a column is described."""

    TEXT = "TEXT"
    DATE = "DATE"  # 2026-11-30
    MONEY = "MONEY"  # four digits after the point
    RATE = "RATE"  # five
    WHOLE = "WHOLE"


T, D, M, R, W = Type.TEXT, Type.DATE, Type.MONEY, Type.RATE, Type.WHOLE


@dataclass(frozen=True)
class AuditTable:
    """A file: its name, what it is in the German of auditors, its columns, the statement that fills it.  The first column is its key."""

    file: str
    title: str
    columns: tuple[tuple[str, Type], ...]
    sql: str


_DOCUMENTS = "d.state = 'ISSUED' AND d.issued_on BETWEEN %(first)s AND %(last)s"
_ENTRIES = "e.booked_on BETWEEN %(first)s AND %(last)s"

TABLES = (
    AuditTable(
        "belege.csv",
        "Ausgestellte Belege",
        (("Beleg_Id", W), ("Art", T), ("Aussteller", T), ("Nummer", T), ("Kanal", T), ("Auftrag", T), ("Datum", D),
         ("Leistung_bis", D), ("Land", T), ("USt_IdNr_Kunde", T), ("Waehrung", T), ("Netto", M), ("Steuer", M),
         ("Brutto", M), ("Korrigiert_Beleg_Id", W), ("Pruefsumme", T), ("Pruefsumme_davor", T)),
        f"""SELECT d.id, d.kind, d.issuer, d.number, c.slug, o.number, d.issued_on, d.supplied_on, d.country, d.buyer_vat_id,
          d.currency, d.net, d.tax, d.gross, d.corrects_id, d.digest, d.previous FROM accounting_document d
          JOIN integration_hub_connection c ON c.id = d.channel_id LEFT JOIN orders_order o ON o.id = d.order_id
          WHERE {_DOCUMENTS} ORDER BY d.id""",
    ),
    AuditTable(
        "belegpositionen.csv",
        "Positionen der Belege",
        (("Position_Id", W), ("Beleg_Id", W), ("Position", W), ("Art", T), ("Artikel", T), ("Bezeichnung", T),
         ("Menge", M), ("Steuerfall", T), ("Land", T), ("Satz", R), ("Netto", M), ("Steuer", M), ("Brutto", M),
         ("Steuer_laut_Shop", M)),
        f"""SELECT l.id, l.document_id, l.position, l.kind, l.sku, l.title, l.quantity, l.tax_case, l.country, l.rate, l.net,
          l.tax, l.gross, l.stated_tax FROM accounting_documentline l JOIN accounting_document d ON d.id = l.document_id
          WHERE {_DOCUMENTS} ORDER BY l.id""",
    ),
    AuditTable(
        "belegsteuern.csv",
        "Steuer der Belege je Steuerfall und Satz",
        (("Steuer_Id", W), ("Beleg_Id", W), ("Steuerfall", T), ("Land", T), ("Satz", R), ("Netto", M), ("Steuer", M),
         ("Brutto", M)),
        f"""SELECT x.id, x.document_id, x.tax_case, x.country, x.rate, x.net, x.tax, x.gross FROM accounting_documenttax x
          JOIN accounting_document d ON d.id = x.document_id WHERE {_DOCUMENTS} ORDER BY x.id""",
    ),
    AuditTable(
        "buchungen.csv",
        "Buchungszeilen, Soll und Haben",
        (("Zeile_Id", W), ("Buchung_Id", W), ("Datum", D), ("Gebucht_am", T), ("Worueber", T), ("Beleg_Id", W),
         ("Storniert_Buchung_Id", W), ("Konto", T), ("Gegenkonto", T), ("Soll", M), ("Haben", M), ("Waehrung", T),
         ("Steuerschluessel", T), ("Belegfeld_1", T), ("Text", T), ("Kostenstelle", T), ("Kontenzuordnung", T),
         ("Pruefsumme", T), ("Pruefsumme_davor", T)),
        f"""SELECT p.id, e.id, e.booked_on, e.posted_at AT TIME ZONE 'UTC', e.source, e.document_id, e.reverses_id, p.account,
          p.contra, p.debit, p.credit, p.currency, p.tax_key, coalesce(nullif(p.belegfeld1, ''), e.belegfeld1),
          coalesce(nullif(p.text, ''), e.text), p.cost_centre, v.chart || ' v' || v.number, e.digest, e.previous
          FROM accounting_entry e JOIN accounting_posting p ON p.entry_id = e.id
          JOIN accounting_mappingversion v ON v.id = e.version_id WHERE {_ENTRIES} ORDER BY p.id""",
    ),
    AuditTable(
        "konten.csv",
        "Kontenplan",
        (("Konto_Id", W), ("Kontenrahmen", T), ("Konto", T), ("Bezeichnung", T), ("Funktion", T), ("Satz", R)),
        "SELECT id, chart, number, name, flag, rate FROM accounting_account ORDER BY id",
    ),
    AuditTable(
        "zahlungen.csv",
        "Zahlungsbewegungen der Anbieter und Banken",
        (("Bewegung_Id", W), ("Anbieter", T), ("Kennung", T), ("Art", T), ("Status", T), ("Zeitpunkt", T), ("Brutto", M),
         ("Waehrung", T), ("Gebuehren", M), ("Netto", M), ("Abrechnungswaehrung", T), ("Auszahlung", T)),
        """SELECT t.id, c.slug, t.external_id, t.kind, t.state, t.occurred_at AT TIME ZONE 'UTC', t.gross, t.currency, t.fees,
          t.net, t.settlement_currency, t.payout_external_id FROM payments_transaction t
          JOIN integration_hub_connection c ON c.id = t.connection_id
          WHERE t.occurred_at >= %(start)s AND t.occurred_at < %(end)s ORDER BY t.id""",
    ),
    AuditTable(
        "zuordnungen.csv",
        "Zuordnung von Zahlungen zu Auftraegen",
        (("Zuordnung_Id", W), ("Bewegung_Id", W), ("Auftrag", T), ("Betrag", M), ("Wie", T), ("Grund", T)),
        """SELECT a.id, a.transaction_id, o.number, a.amount, a.how, a.ground FROM payments_allocation a
          JOIN payments_transaction t ON t.id = a.transaction_id JOIN orders_order o ON o.id = a.order_id
          WHERE t.occurred_at >= %(start)s AND t.occurred_at < %(end)s ORDER BY a.id""",
    ),
    AuditTable(
        "auszahlungen.csv",
        "Auszahlungen der Anbieter",
        (("Auszahlung_Id", W), ("Anbieter", T), ("Kennung", T), ("Status", T), ("Erstellt", T), ("Betrag", M),
         ("Waehrung", T), ("Rest", M), ("Bankzeile_Id", W)),
        """SELECT p.id, c.slug, p.external_id, p.state, p.created_at AT TIME ZONE 'UTC', p.amount, p.currency, p.remainder,
          p.bank_line_id FROM payments_payout p JOIN integration_hub_connection c ON c.id = p.connection_id
          WHERE p.created_at >= %(start)s AND p.created_at < %(end)s ORDER BY p.id""",
    ),
    AuditTable(
        "auftraege.csv",
        "Auftraege der Kanaele",
        (("Auftrag_Id", W), ("Kanal", T), ("Nummer", T), ("Bestellt", T), ("Status", T), ("Waehrung", T), ("Summe", M),
         ("Steuer", M)),
        """SELECT o.id, c.slug, o.number, o.placed_at AT TIME ZONE 'UTC', o.state, o.currency, o.total, o.total_tax
          FROM orders_order o JOIN integration_hub_connection c ON c.id = o.channel_id
          WHERE o.placed_at >= %(start)s AND o.placed_at < %(end)s ORDER BY o.id""",
    ),
    AuditTable(
        "entwertete_nummern.csv",
        "Verzeichnis entwerteter Belegnummern",
        (("Eintrag_Id", W), ("Kreis", T), ("Jahr", W), ("Von", W), ("Bis", W), ("Grund", T), ("Wann", T)),
        """SELECT v.id, r.name, s.year, v.first, v.last, v.why, v.at AT TIME ZONE 'UTC' FROM accounting_voidnumber v
          JOIN accounting_series s ON s.id = v.series_id LEFT JOIN accounting_numberrange r ON r.id = s.range_id
          ORDER BY v.id""",
    ),
    AuditTable(
        "protokoll.csv",
        "Protokoll: wer hat wann was getan",
        (("Schritt_Id", W), ("Wann", T), ("Wer", T), ("System", T), ("Aktion", T), ("Worueber", T), ("Worueber_Id", W),
         ("Begruendung", T)),
        """SELECT a.id, a.at AT TIME ZONE 'UTC', u.username, a.system, a.action, k.app_label || '.' || k.model, a.subject_id,
          a.why FROM integration_hub_activity a JOIN django_content_type k ON k.id = a.subject_type_id
          LEFT JOIN integration_hub_user u ON u.id = a.actor_id
          WHERE a.at >= %(start)s AND a.at < %(end)s AND k.app_label IN ('accounting', 'payments', 'exceptions', 'orders')
            AND a.actor_id IS NOT NULL ORDER BY a.id""",
    ),
)  # fmt: skip
