"""What no program can get past: entries balance, stay, come once, and never into a locked month; what is exported stays."""

from django.db import migrations

from integration_hub.models.append_only import append_only

BALANCE = """
CREATE FUNCTION accounting_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  theirs bigint := CASE WHEN TG_TABLE_NAME = 'accounting_entry' THEN (to_jsonb(NEW) ->> 'id')::bigint
    ELSE (to_jsonb(NEW) ->> 'entry_id')::bigint END;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM accounting_posting WHERE entry_id = theirs) OR EXISTS (
    SELECT 1 FROM accounting_posting WHERE entry_id = theirs GROUP BY row
    HAVING sum(debit) <> sum(credit) OR count(*) FILTER (WHERE side = 'HEAD') <> 1) THEN
    RAISE EXCEPTION 'entry % does not balance', theirs
      USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balances', TABLE = 'accounting_entry';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON accounting_entry
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounting_entry_balances();
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON accounting_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounting_entry_balances();

CREATE FUNCTION accounting_lines_come_with_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM accounting_entry e JOIN new_rows n ON n.entry_id = e.id WHERE e.posted_at <> now()) THEN
    RAISE EXCEPTION 'lines are added to an entry that is posted' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER lines_come_with_entry AFTER INSERT ON accounting_posting REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION accounting_lines_come_with_entry();
"""

# one question per month and statement; the share lock makes locking a month wait for what is being posted into it
PERIODS = """
CREATE FUNCTION accounting_period_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  m record;
  standing text;
BEGIN
  FOR m IN SELECT DISTINCT extract(year FROM booked_on)::int AS y, extract(month FROM booked_on)::int AS m FROM new_rows
    ORDER BY 1, 2 LOOP
    INSERT INTO accounting_period (year, month, state) VALUES (m.y, m.m, 'OPEN') ON CONFLICT DO NOTHING;
    SELECT state INTO standing FROM accounting_period WHERE year = m.y AND month = m.m FOR SHARE;
    IF standing <> 'OPEN' THEN
      RAISE EXCEPTION 'month %/% is locked', m.m, m.y
        USING ERRCODE = 'check_violation', CONSTRAINT = 'period_is_open', TABLE = 'accounting_entry';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER period_is_open AFTER INSERT ON accounting_entry REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION accounting_period_is_open();
"""

# the moment is the transaction's, whatever the program says; a further revision only after its forerunner was reversed
ONCE = """
CREATE FUNCTION accounting_entry_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.posted_at := now();
  IF NEW.reverses_id IS NOT NULL THEN
    IF NOT EXISTS (SELECT 1 FROM accounting_entry o WHERE o.id = NEW.reverses_id AND o.reverses_id IS NULL
        AND o.source = NEW.source AND o.subject_id = NEW.subject_id AND o.revision = NEW.revision) THEN
      RAISE EXCEPTION 'a reversal reverses an entry about the same thing' USING ERRCODE = 'check_violation';
    END IF;
  ELSIF NEW.revision > 1 AND NOT EXISTS (SELECT 1 FROM accounting_entry o JOIN accounting_entry r ON r.reverses_id = o.id
      WHERE o.source = NEW.source AND o.subject_id = NEW.subject_id AND o.revision = NEW.revision - 1) THEN
    RAISE EXCEPTION '% % is posted already', NEW.source, NEW.subject_id
      USING ERRCODE = 'unique_violation', CONSTRAINT = 'posted_once', TABLE = 'accounting_entry';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER entry_once BEFORE INSERT ON accounting_entry FOR EACH ROW EXECUTE FUNCTION accounting_entry_once();
"""

RULES = """
CREATE FUNCTION accounting_rule_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.until_id IS NULL AND NEW.until_id IS NOT NULL
    AND to_jsonb(OLD) - 'until_id' = to_jsonb(NEW) - 'until_id' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a rule is retired, never changed: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER rule_stays BEFORE UPDATE OR DELETE ON accounting_accountrule
  FOR EACH ROW EXECUTE FUNCTION accounting_rule_stays();
ALTER TABLE accounting_accountrule ENABLE ALWAYS TRIGGER rule_stays;
"""

EXPORTS = """
CREATE FUNCTION accounting_export_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.number > 1 AND NOT EXISTS (SELECT 1 FROM accounting_export e WHERE e.year = NEW.year AND e.month = NEW.month
        AND e.number = NEW.number - 1 AND e.state = 'READY' AND e.upto = NEW.after)
      OR NEW.number = 1 AND NEW.after <> 0 THEN
      RAISE EXCEPTION 'a batch begins where the one before it ended'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'exports_follow_on', TABLE = 'accounting_export';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.state = 'READY'
    OR (NEW.year, NEW.month, NEW.number, NEW.after, NEW.upto) <> (OLD.year, OLD.month, OLD.number, OLD.after, OLD.upto) THEN
    RAISE EXCEPTION 'export % stays: % refused', OLD.id, TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER export_stays BEFORE INSERT OR UPDATE OR DELETE ON accounting_export
  FOR EACH ROW EXECUTE FUNCTION accounting_export_stays();
ALTER TABLE accounting_export ENABLE ALWAYS TRIGGER export_stays;

CREATE FUNCTION accounting_export_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ready boolean;
BEGIN
  IF TG_TABLE_NAME = 'accounting_exportfile' THEN
    SELECT e.state = 'READY' INTO ready FROM accounting_export e WHERE e.id = OLD.export_id;
  ELSE
    SELECT e.state = 'READY' INTO ready FROM accounting_export e JOIN accounting_exportfile f ON f.export_id = e.id
      WHERE f.id = OLD.file_id;
  END IF;
  IF ready THEN
    RAISE EXCEPTION 'a ready export stays: % of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER part_stays BEFORE UPDATE OR DELETE ON accounting_exportfile
  FOR EACH ROW EXECUTE FUNCTION accounting_export_part_stays();
CREATE TRIGGER part_stays BEFORE UPDATE OR DELETE ON accounting_exportchunk
  FOR EACH ROW EXECUTE FUNCTION accounting_export_part_stays();
ALTER TABLE accounting_exportfile ENABLE ALWAYS TRIGGER part_stays;
ALTER TABLE accounting_exportchunk ENABLE ALWAYS TRIGGER part_stays;
"""

UNDO = """
DROP FUNCTION accounting_entry_balances() CASCADE;
DROP FUNCTION accounting_lines_come_with_entry() CASCADE;
DROP FUNCTION accounting_period_is_open() CASCADE;
DROP FUNCTION accounting_entry_once() CASCADE;
DROP FUNCTION accounting_rule_stays() CASCADE;
DROP FUNCTION accounting_export_stays() CASCADE;
DROP FUNCTION accounting_export_part_stays() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("accounting", "0004_ledger"), ("integration_hub", "0002_append_only")]

    operations = [
        migrations.RunSQL(migrations.RunSQL.noop, UNDO),
        migrations.RunSQL(BALANCE, migrations.RunSQL.noop),
        migrations.RunSQL(PERIODS, migrations.RunSQL.noop),
        migrations.RunSQL(ONCE, migrations.RunSQL.noop),
        migrations.RunSQL(RULES, migrations.RunSQL.noop),
        migrations.RunSQL(EXPORTS, migrations.RunSQL.noop),
        append_only("accounting_entry"),
        append_only("accounting_posting"),
        append_only("accounting_mappingversion"),
        append_only("accounting_choice"),
        append_only("accounting_heldback"),
        append_only("accounting_download"),
    ]
