"""The ledger keeps the source's own time, and its trigger writes it to the level: one update instead of two.

A level's row has room to grow in its page, so that most updates touch no index.
"""

from django.db import migrations, models


BOOK = """
CREATE OR REPLACE FUNCTION inventory_book() RETURNS trigger LANGUAGE plpgsql AS $$
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
  PERFORM 1 FROM inventory_stocklevel l JOIN (SELECT DISTINCT variant_id, location_id FROM added) m
    USING (variant_id, location_id) ORDER BY l.variant_id, l.location_id FOR UPDATE OF l;
  UPDATE inventory_stocklevel l SET on_hand = l.on_hand + m.quantity, reserved = l.reserved + m.reserved, moved = true,
    changed_at = statement_timestamp(), stated_at = greatest(l.stated_at, m.stated_at),
    confirmed_at = CASE WHEN m.stated_at IS NULL THEN l.confirmed_at ELSE statement_timestamp() END
  FROM (SELECT variant_id, location_id, sum(quantity) AS quantity, sum(reserved) AS reserved, max(stated_at) AS stated_at
    FROM added GROUP BY variant_id, location_id) m
  WHERE l.variant_id = m.variant_id AND l.location_id = m.location_id;
  RETURN NULL;
END $$;
ALTER TABLE inventory_stocklevel SET (fillfactor = 80);
"""
BEFORE = """
CREATE OR REPLACE FUNCTION inventory_book() RETURNS trigger LANGUAGE plpgsql AS $$
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
ALTER TABLE inventory_stocklevel RESET (fillfactor);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', "0007_listing_permissions"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='stocklevel',
            name='level_confirmed',
        ),
        migrations.RemoveIndex(
            model_name='stocklevel',
            name='level_negative',
        ),
        migrations.AddField(
            model_name='stockmovement',
            name='stated_at',
            field=models.DateTimeField(null=True, verbose_name='stated at'),
        ),
        migrations.RunSQL(BOOK, BEFORE),
    ]
