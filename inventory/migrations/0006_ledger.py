"""The ledger can only grow, keeps the levels, and takes quantities only from whose word counts at the location."""

from django.db import migrations

from integration_hub.models.append_only import append_only

BOOK = """
CREATE FUNCTION inventory_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT 1 FROM added m JOIN inventory_location l ON l.id = m.location_id
    WHERE m.quantity <> 0 AND m.stated_by_id IS DISTINCT FROM l.source_id
  ) THEN
    RAISE EXCEPTION 'another side than the source of truth moves stock'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'only_the_source_moves_stock', TABLE = 'inventory_stockmovement';
  END IF;
  IF EXISTS (
    SELECT 1 FROM added m JOIN inventory_variant v ON v.id = m.variant_id
    WHERE v.pieces_only AND (m.quantity <> trunc(m.quantity) OR m.reserved <> trunc(m.reserved))
  ) THEN
    RAISE EXCEPTION 'a fraction of piece goods'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'piece_goods_are_whole', TABLE = 'inventory_stockmovement';
  END IF;
  IF EXISTS (
    SELECT 1 FROM added m WHERE m.pair IS NOT NULL
    GROUP BY m.pair HAVING sum(m.quantity) <> 0 OR count(*) <> 2 OR min(m.variant_id) <> max(m.variant_id)
  ) THEN
    RAISE EXCEPTION 'a transfer that does not balance'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_balances', TABLE = 'inventory_stockmovement';
  END IF;
  -- not ON CONFLICT DO UPDATE: the check that reserved is not negative would look at the change instead of the sum
  INSERT INTO inventory_stocklevel (variant_id, location_id)
  SELECT DISTINCT variant_id, location_id FROM added m WHERE NOT EXISTS (
    SELECT 1 FROM inventory_stocklevel l WHERE l.variant_id = m.variant_id AND l.location_id = m.location_id)
  ORDER BY variant_id, location_id ON CONFLICT DO NOTHING;
  PERFORM 1 FROM inventory_stocklevel l WHERE (l.variant_id, l.location_id) IN (
    SELECT variant_id, location_id FROM added) ORDER BY l.variant_id, l.location_id FOR UPDATE;
  UPDATE inventory_stocklevel l SET on_hand = l.on_hand + m.quantity, reserved = l.reserved + m.reserved,
    moved = true, changed_at = statement_timestamp()
  FROM (SELECT variant_id, location_id, sum(quantity) AS quantity, sum(reserved) AS reserved
    FROM added GROUP BY variant_id, location_id) m
  WHERE l.variant_id = m.variant_id AND l.location_id = m.location_id;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_levels AFTER INSERT ON inventory_stockmovement
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION inventory_book();
ALTER TABLE inventory_stockmovement ENABLE ALWAYS TRIGGER keep_levels;
"""
BACK = """
DROP TRIGGER keep_levels ON inventory_stockmovement;
DROP FUNCTION inventory_book();
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0005_stock"), ("integration_hub", "0002_append_only")]

    operations = [
        migrations.RunSQL(BOOK, BACK),
        append_only("inventory_stockmovement"),
        append_only("inventory_drift"),
    ]
