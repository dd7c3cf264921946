"""The mapping history can only grow, and no bundle holds itself, however far down."""

from django.db import migrations

from integration_hub.models.append_only import append_only

# one lock for all bundles: two halves of a cycle, written side by side, meet here
CYCLES = """
CREATE FUNCTION inventory_no_bundle_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7012, 0);
  IF EXISTS (
    WITH RECURSIVE below (id) AS (
      SELECT NEW.part_id
      UNION
      SELECT p.part_id FROM inventory_bundlepart p JOIN below ON p.bundle_id = below.id WHERE p.id <> NEW.id
    )
    SELECT 1 FROM below WHERE id = NEW.bundle_id
  ) THEN
    RAISE EXCEPTION 'bundle % would hold itself', NEW.bundle_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'bundle_without_cycle', TABLE = 'inventory_bundlepart';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER no_bundle_cycle BEFORE INSERT OR UPDATE ON inventory_bundlepart
  FOR EACH ROW EXECUTE FUNCTION inventory_no_bundle_cycle();
"""
BACK = """
DROP TRIGGER no_bundle_cycle ON inventory_bundlepart;
DROP FUNCTION inventory_no_bundle_cycle();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_catalogue"), ("integration_hub", "0002_append_only")]

    operations = [append_only("inventory_mappingstep"), migrations.RunSQL(CYCLES, BACK)]
