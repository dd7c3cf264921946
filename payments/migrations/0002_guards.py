"""What the database itself holds about money: sums of parts, one currency at a time, nothing given away twice."""

from django.db import migrations

FEES = """
CREATE FUNCTION payments_fees_add_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  movement bigint;
BEGIN
  IF TG_TABLE_NAME = 'payments_transaction' THEN movement := NEW.id;
  ELSIF TG_OP = 'DELETE' THEN movement := OLD.transaction_id;
  ELSE movement := NEW.transaction_id; END IF;
  IF EXISTS (SELECT 1 FROM payments_transaction t WHERE t.id = movement AND t.fees <>
      (SELECT coalesce(sum(f.amount), 0) FROM payments_transactionfee f WHERE f.transaction_id = movement)) THEN
    RAISE EXCEPTION 'the fees of movement % are not the sum of their rows', movement USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER fees_add_up AFTER INSERT OR UPDATE OR DELETE ON payments_transactionfee
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_fees_add_up();
CREATE CONSTRAINT TRIGGER fees_add_up AFTER INSERT OR UPDATE OF fees ON payments_transaction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.fees <> 0) EXECUTE FUNCTION payments_fees_add_up();
"""

# An allocation alone on its movement is checked against the movement; only where there are several is a sum needed.
ALLOCATIONS = """
CREATE INDEX allocation_further ON payments_allocation (transaction_id) WHERE position > 1;
CREATE FUNCTION payments_allocations_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad bigint;
  several bigint[];
BEGIN
  -- EXECUTE plans anew for as many rows as there are this time
  EXECUTE 'SELECT n.transaction_id FROM new_rows n
    LEFT JOIN payments_transaction t ON t.id = n.transaction_id LEFT JOIN orders_order o ON o.id = n.order_id
    WHERE t.id IS NULL OR o.id IS NULL OR abs(n.amount) > abs(t.gross) OR n.amount * t.gross <= 0
      OR n.amount * n.order_amount <= 0 OR (t.currency = o.currency AND n.amount <> n.order_amount) LIMIT 1' INTO bad;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'an allocation does not fit movement %', bad USING ERRCODE = 'check_violation';
  END IF;
  EXECUTE 'SELECT array_agg(DISTINCT m.transaction_id) FROM payments_allocation m
    JOIN new_rows n ON n.transaction_id = m.transaction_id WHERE m.position > 1' INTO several;
  IF several IS NOT NULL THEN
    PERFORM 1 FROM payments_transaction t WHERE t.id = ANY(several) ORDER BY t.id FOR UPDATE;
    SELECT a.transaction_id INTO bad FROM payments_allocation a JOIN payments_transaction t ON t.id = a.transaction_id
      WHERE a.transaction_id = ANY(several)
      GROUP BY a.transaction_id, t.gross HAVING abs(sum(a.amount)) > abs(t.gross) LIMIT 1;
    IF bad IS NOT NULL THEN
      RAISE EXCEPTION 'more than movement % is allocated', bad USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER allocations_fit AFTER INSERT ON payments_allocation REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_allocations_fit();
CREATE TRIGGER allocations_still_fit AFTER UPDATE ON payments_allocation REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_allocations_fit();

CREATE FUNCTION payments_movement_keeps_allocations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments_allocation a WHERE a.transaction_id = NEW.id
      HAVING abs(sum(a.amount)) > abs(NEW.gross) OR bool_or(a.amount * NEW.gross <= 0)) THEN
    RAISE EXCEPTION 'more than movement % is allocated', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER movement_keeps_allocations AFTER UPDATE OF gross, currency ON payments_transaction FOR EACH ROW
  WHEN (OLD.gross <> NEW.gross OR OLD.currency <> NEW.currency)
  EXECUTE FUNCTION payments_movement_keeps_allocations();

CREATE FUNCTION payments_refuse_orphans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (TG_TABLE_NAME = 'orders_order' AND EXISTS (SELECT 1 FROM payments_allocation WHERE order_id = OLD.id))
    OR (TG_TABLE_NAME = 'payments_transaction'
      AND (EXISTS (SELECT 1 FROM payments_allocation WHERE transaction_id = OLD.id)
        OR EXISTS (SELECT 1 FROM payments_payoutitem WHERE transaction_id = OLD.id)))
    OR (TG_TABLE_NAME = 'payments_payout' AND EXISTS (SELECT 1 FROM payments_payoutitem WHERE payout_id = OLD.id)) THEN
    RAISE EXCEPTION 'money hangs on % %', TG_TABLE_NAME, OLD.id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER money_hangs_on_it BEFORE DELETE ON orders_order FOR EACH ROW EXECUTE FUNCTION payments_refuse_orphans();
CREATE TRIGGER money_hangs_on_it BEFORE DELETE ON payments_transaction
  FOR EACH ROW EXECUTE FUNCTION payments_refuse_orphans();
CREATE TRIGGER money_hangs_on_it BEFORE DELETE ON payments_payout
  FOR EACH ROW EXECUTE FUNCTION payments_refuse_orphans();
"""

PAYOUTS = """
CREATE FUNCTION payments_payout_remainder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN NEW.explained := 0; END IF;
  NEW.remainder := NEW.amount - NEW.explained;
  RETURN NEW;
END $$;
CREATE TRIGGER payout_remainder BEFORE INSERT OR UPDATE ON payments_payout
  FOR EACH ROW EXECUTE FUNCTION payments_payout_remainder();

CREATE FUNCTION payments_payout_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM payments_payout p WHERE p.id = NEW.id AND p.explained <>
      (SELECT coalesce(sum(i.amount), 0) FROM payments_payoutitem i WHERE i.payout_id = NEW.id)) THEN
    RAISE EXCEPTION 'payout % is not explained by its items', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payout_adds_up AFTER UPDATE OF explained ON payments_payout
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_payout_adds_up();

CREATE FUNCTION payments_items_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad bigint;
BEGIN
  EXECUTE 'SELECT n.transaction_id FROM new_rows n
    LEFT JOIN payments_transaction t ON t.id = n.transaction_id LEFT JOIN payments_payout p ON p.id = n.payout_id
    WHERE t.id IS NULL OR p.id IS NULL OR t.connection_id <> p.connection_id OR t.settlement_currency <> p.currency
      OR t.net IS NULL OR n.amount <> t.net - t.reserve LIMIT 1' INTO bad;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'movement % is no item of this payout', bad USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION payments_items_came() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE payments_payout p SET explained = p.explained + d.amount FROM
    (SELECT payout_id, sum(amount) AS amount FROM new_rows GROUP BY payout_id) d WHERE p.id = d.payout_id;
  RETURN NULL;
END $$;
CREATE FUNCTION payments_items_went() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE payments_payout p SET explained = p.explained - d.amount FROM
    (SELECT payout_id, sum(amount) AS amount FROM old_rows GROUP BY payout_id) d WHERE p.id = d.payout_id;
  RETURN NULL;
END $$;
CREATE TRIGGER items_fit AFTER INSERT ON payments_payoutitem REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_fit();
CREATE TRIGGER items_came AFTER INSERT ON payments_payoutitem REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_came();
CREATE TRIGGER items_went AFTER DELETE ON payments_payoutitem REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_went();
CREATE TRIGGER changed_items_fit AFTER UPDATE ON payments_payoutitem REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_fit();
CREATE TRIGGER changed_items_came AFTER UPDATE ON payments_payoutitem REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_came();
CREATE TRIGGER changed_items_went AFTER UPDATE ON payments_payoutitem REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION payments_items_went();

CREATE FUNCTION payments_item_follows_movement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.net IS NULL THEN
    DELETE FROM payments_payoutitem WHERE transaction_id = NEW.id;
  ELSE
    UPDATE payments_payoutitem SET amount = NEW.net - NEW.reserve WHERE transaction_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER item_follows_movement AFTER UPDATE OF net, reserve ON payments_transaction FOR EACH ROW
  WHEN (OLD.net IS DISTINCT FROM NEW.net OR OLD.reserve <> NEW.reserve)
  EXECUTE FUNCTION payments_item_follows_movement();
"""

REFUNDS = """
CREATE INDEX refund_holding ON payments_refund (capture_id) WHERE state NOT IN ('FAILED', 'DECLINED');
CREATE FUNCTION payments_refunds_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  paid payments_transaction%ROWTYPE;
  given numeric;
BEGIN
  SELECT * INTO paid FROM payments_transaction WHERE id = NEW.capture_id FOR UPDATE;
  SELECT coalesce(sum(r.amount), 0) INTO given FROM payments_refund r
    WHERE r.capture_id = NEW.capture_id AND r.state NOT IN ('FAILED', 'DECLINED') AND r.id <> NEW.id;
  IF paid.kind <> 'CAPTURE' OR paid.currency <> NEW.currency OR given + NEW.amount > paid.gross THEN
    RAISE EXCEPTION 'movement % cannot give back % more', NEW.capture_id, NEW.amount USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refunds_fit BEFORE INSERT OR UPDATE OF amount, currency, capture_id, state ON payments_refund
  FOR EACH ROW WHEN (NEW.state NOT IN ('FAILED', 'DECLINED')) EXECUTE FUNCTION payments_refunds_fit();
"""

ORDERS = """
CREATE INDEX order_number_plain ON orders_order (upper(translate(number, ' #-_/.:', '')));
CREATE INDEX order_payment_id ON orders_order (transaction_id) WHERE transaction_id <> '';
CREATE INDEX order_total_placed ON orders_order (total, placed_at);
"""

UNDO = """
DROP INDEX order_number_plain, order_payment_id, order_total_placed;
DROP TRIGGER money_hangs_on_it ON orders_order;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [
        migrations.RunSQL(FEES, migrations.RunSQL.noop),
        migrations.RunSQL(ALLOCATIONS, migrations.RunSQL.noop),
        migrations.RunSQL(PAYOUTS, migrations.RunSQL.noop),
        migrations.RunSQL(REFUNDS, migrations.RunSQL.noop),
        migrations.RunSQL(ORDERS, UNDO),
    ]
