"""What no program can get past: issued documents stay, sums are exact, numbers have no gaps, no delivery is billed twice."""

from django.db import migrations

from integration_hub.models.append_only import append_only

IMMUTABLE = """
CREATE FUNCTION accounting_document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.recorded_at := now();
    IF NEW.corrects_id IS NOT NULL THEN  -- corrections of one document one after the other
      PERFORM 1 FROM accounting_document WHERE id = NEW.corrects_id FOR NO KEY UPDATE;
    END IF;
    RETURN NEW;
  END IF;
  IF current_setting('hub.purge', true) = 'on' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF OLD.state = 'ISSUED' OR (TG_OP = 'UPDATE' AND NEW.state = 'ISSUED') THEN
    RAISE EXCEPTION 'document % is issued: % refused', OLD.id, TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER append_only_rows BEFORE INSERT OR UPDATE OR DELETE ON accounting_document
  FOR EACH ROW EXECUTE FUNCTION accounting_document_stays();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON accounting_document
  FOR EACH STATEMENT EXECUTE FUNCTION hub_append_only();

CREATE FUNCTION accounting_parts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  theirs bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.document_id ELSE NEW.document_id END;
BEGIN
  IF current_setting('hub.purge', true) = 'on' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  -- parts come in the transaction of their document, afterwards never
  IF EXISTS (SELECT 1 FROM accounting_document d WHERE d.id = theirs AND d.state = 'ISSUED'
      AND (TG_OP <> 'INSERT' OR d.recorded_at <> now())) THEN
    RAISE EXCEPTION 'document % is issued: % of % refused', theirs, TG_OP, TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER append_only_rows BEFORE INSERT OR UPDATE OR DELETE ON accounting_documentline
  FOR EACH ROW EXECUTE FUNCTION accounting_parts_stay();
CREATE TRIGGER append_only_rows BEFORE INSERT OR UPDATE OR DELETE ON accounting_documenttax
  FOR EACH ROW EXECUTE FUNCTION accounting_parts_stay();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON accounting_documentline
  FOR EACH STATEMENT EXECUTE FUNCTION hub_append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON accounting_documenttax
  FOR EACH STATEMENT EXECUTE FUNCTION hub_append_only();
ALTER TABLE accounting_document ENABLE ALWAYS TRIGGER append_only_rows;
ALTER TABLE accounting_document ENABLE ALWAYS TRIGGER append_only_table;
ALTER TABLE accounting_documentline ENABLE ALWAYS TRIGGER append_only_rows;
ALTER TABLE accounting_documentline ENABLE ALWAYS TRIGGER append_only_table;
ALTER TABLE accounting_documenttax ENABLE ALWAYS TRIGGER append_only_rows;
ALTER TABLE accounting_documenttax ENABLE ALWAYS TRIGGER append_only_table;
"""

SUMS = """
CREATE FUNCTION accounting_document_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  taken bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM accounting_document WHERE id = NEW.id) THEN RETURN NULL; END IF;
  IF EXISTS (
    SELECT 1 FROM (SELECT coalesce(sum(net), 0) AS net, coalesce(sum(tax), 0) AS tax, coalesce(sum(gross), 0) AS gross
      FROM accounting_documenttax WHERE document_id = NEW.id) t
    WHERE (t.net, t.tax, t.gross) <> (NEW.net, NEW.tax, NEW.gross)
  ) OR EXISTS (
    SELECT 1 FROM (SELECT tax_case, country, rate, sum(net) AS net, sum(tax) AS tax, sum(gross) AS gross
      FROM accounting_documentline WHERE document_id = NEW.id GROUP BY 1, 2, 3) l
    FULL JOIN (SELECT tax_case, country, rate, net, tax, gross FROM accounting_documenttax WHERE document_id = NEW.id) t
      USING (tax_case, country, rate)
    WHERE (l.net, l.tax, l.gross) IS DISTINCT FROM (t.net, t.tax, t.gross)
  ) THEN
    RAISE EXCEPTION 'document % is not the sum of its lines and taxes', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'document_adds_up', TABLE = 'accounting_document';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM accounting_series s WHERE s.id = NEW.series_id AND NEW.sequence < s.next) THEN
    RAISE EXCEPTION 'number % was not taken from its series', NEW.number
      USING ERRCODE = 'check_violation', CONSTRAINT = 'number_was_taken', TABLE = 'accounting_document';
  END IF;
  IF NEW.corrects_id IS NOT NULL AND NEW.kind IN ('CORRECTION', 'CANCELLATION') AND (
    SELECT d.gross + coalesce((SELECT sum(c.gross) FROM accounting_document c
      WHERE c.corrects_id = d.id AND c.kind IN ('CORRECTION', 'CANCELLATION')), 0)
    FROM accounting_document d WHERE d.id = NEW.corrects_id) < 0 THEN
    RAISE EXCEPTION 'more than document % is corrected', NEW.corrects_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'no_more_corrected_than_billed', TABLE = 'accounting_document';
  END IF;
  IF NEW.kind IN ('PARTIAL_INVOICE', 'COLLECTIVE_INVOICE', 'FINAL_INVOICE') THEN
    SELECT m.order_line_id INTO taken FROM (
      SELECT l.order_line_id, l.document_id, max(l.quantity) AS quantity FROM accounting_documentline l
      JOIN accounting_document d ON d.id = l.document_id
      WHERE l.order_line_id IN (SELECT order_line_id FROM accounting_documentline WHERE document_id = NEW.id)
        AND l.kind IN ('GOODS', 'SERVICE') AND d.state = 'ISSUED'
        AND d.kind IN ('INVOICE', 'SMALL_INVOICE', 'PARTIAL_INVOICE', 'COLLECTIVE_INVOICE', 'FINAL_INVOICE')
        AND NOT EXISTS (SELECT 1 FROM accounting_document c WHERE c.corrects_id = d.id AND c.kind = 'CANCELLATION')
      GROUP BY 1, 2) m
    JOIN orders_orderline o ON o.id = m.order_line_id
    GROUP BY m.order_line_id, o.quantity HAVING sum(m.quantity) > o.quantity LIMIT 1;
    IF taken IS NOT NULL THEN
      RAISE EXCEPTION 'more of order line % is billed than was ordered', taken
        USING ERRCODE = 'check_violation', CONSTRAINT = 'no_more_billed_than_ordered', TABLE = 'accounting_document';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER document_adds_up AFTER INSERT ON accounting_document
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'ISSUED')
  EXECUTE FUNCTION accounting_document_adds_up();
"""

NUMBERS = """
CREATE FUNCTION accounting_series_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.next < OLD.next OR (NEW.range_id, NEW.source_id, NEW.year) IS DISTINCT FROM (OLD.range_id, OLD.source_id, OLD.year)
    THEN
    RAISE EXCEPTION 'series % only grows', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER series_only_grow BEFORE UPDATE ON accounting_series
  FOR EACH ROW EXECUTE FUNCTION accounting_series_only_grow();
ALTER TABLE accounting_series ENABLE ALWAYS TRIGGER series_only_grow;

CREATE FUNCTION accounting_series_has_no_gap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  begin_at bigint := CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE OLD.next END;
BEGIN
  IF (SELECT count(*) FROM accounting_document WHERE series_id = NEW.id AND sequence >= begin_at AND sequence < NEW.next)
    + coalesce((SELECT sum(least(v.last, NEW.next - 1) - greatest(v.first, begin_at) + 1) FROM accounting_voidnumber v
      WHERE v.series_id = NEW.id AND v.first < NEW.next AND v.last >= begin_at), 0) <> NEW.next - begin_at THEN
    RAISE EXCEPTION 'series % would have a gap between % and %', NEW.id, begin_at, NEW.next - 1
      USING ERRCODE = 'check_violation', CONSTRAINT = 'series_has_no_gap', TABLE = 'accounting_series';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER series_has_no_gap AFTER INSERT OR UPDATE OF next ON accounting_series
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounting_series_has_no_gap();

CREATE FUNCTION accounting_used_range_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.pattern, NEW.digits, NEW.yearly) IS DISTINCT FROM (OLD.pattern, OLD.digits, OLD.yearly)
    AND EXISTS (SELECT 1 FROM accounting_series WHERE range_id = OLD.id AND next > 1) THEN
    RAISE EXCEPTION 'number range % is in use', OLD.name
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'used_range_stays', TABLE = 'accounting_numberrange';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER used_range_stays BEFORE UPDATE ON accounting_numberrange
  FOR EACH ROW EXECUTE FUNCTION accounting_used_range_stays();
"""

ORIGINS = """
CREATE FUNCTION accounting_billed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('hub.purge', true) = 'on' THEN
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  END IF;
  IF TG_OP = 'INSERT' THEN
    PERFORM 1 FROM orders_order WHERE id = NEW.order_id FOR NO KEY UPDATE;
    IF NEW.scope NOT LIKE 'advance:%' AND EXISTS (SELECT 1 FROM accounting_origin o WHERE o.order_id = NEW.order_id
        AND o.released_by_id IS NULL AND o.scope NOT LIKE 'advance:%'
        AND (o.scope = 'order') <> (NEW.scope = 'order')) THEN
      RAISE EXCEPTION 'order % is billed already', NEW.order_id
        USING ERRCODE = 'unique_violation', CONSTRAINT = 'one_document_per_delivery', TABLE = 'accounting_origin';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.released_by_id IS NULL AND (OLD.document_id, OLD.order_id, OLD.scope, OLD.shipment_id)
      IS NOT DISTINCT FROM (NEW.document_id, NEW.order_id, NEW.scope, NEW.shipment_id)
    AND EXISTS (SELECT 1 FROM accounting_document c WHERE c.id = NEW.released_by_id AND c.corrects_id = OLD.document_id
      AND c.kind = 'CANCELLATION') THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'what is billed stays: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER billed_once BEFORE INSERT OR UPDATE OR DELETE ON accounting_origin
  FOR EACH ROW EXECUTE FUNCTION accounting_billed_once();
ALTER TABLE accounting_origin ENABLE ALWAYS TRIGGER billed_once;
"""

UNDO = """
DROP FUNCTION accounting_document_stays() CASCADE;
DROP FUNCTION accounting_parts_stay() CASCADE;
DROP FUNCTION accounting_document_adds_up() CASCADE;
DROP FUNCTION accounting_series_only_grow() CASCADE;
DROP FUNCTION accounting_series_has_no_gap() CASCADE;
DROP FUNCTION accounting_used_range_stays() CASCADE;
DROP FUNCTION accounting_billed_once() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounting", "0001_initial"), ("integration_hub", "0002_append_only")]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, UNDO),
        migrations.RunSQL(IMMUTABLE, migrations.RunSQL.noop),
        migrations.RunSQL(SUMS, migrations.RunSQL.noop),
        migrations.RunSQL(NUMBERS, migrations.RunSQL.noop),
        migrations.RunSQL(ORIGINS, migrations.RunSQL.noop),
        append_only("accounting_voidnumber"),
        append_only("accounting_documentfile"),
        append_only("accounting_vatcheck"),
    ]
