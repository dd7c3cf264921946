"""Tables that can only grow, by trigger: an UPDATE, DELETE or TRUNCATE raises, whoever asks.

The one way past is ``SET LOCAL hub.purge = 'on'`` in a transaction of the retention job (legal erasure).  ENABLE ALWAYS
keeps the triggers firing under ``session_replication_role = replica``.
"""

from __future__ import annotations

from django.db.migrations import RunSQL

FUNCTION = RunSQL(
    """
    CREATE OR REPLACE FUNCTION hub_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF current_setting('hub.purge', true) = 'on' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD WHEN TG_OP = 'UPDATE' THEN NEW END;
      END IF;
      RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$
    """,
    "DROP FUNCTION IF EXISTS hub_append_only()",
)


def append_only(table: str) -> RunSQL:
    """The migration operation that makes a table append-only."""
    return RunSQL(
        f"""
        CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION hub_append_only();
        CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}
          FOR EACH STATEMENT EXECUTE FUNCTION hub_append_only();
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_rows;
        ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_table;
        """,
        f"DROP TRIGGER append_only_rows ON {table}; DROP TRIGGER append_only_table ON {table};",
    )
