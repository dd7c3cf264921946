"""The triggers of the audit trail, as SQL.

One function for all tables.  It works on whole statements (transition tables), so that five hundred rows in one UPDATE cost
one INSERT.  Its arguments: the primary key; columns that do not matter; columns of which only a fingerprint may be kept; and
whether rows that the hub itself makes are written down (``always``), or only those of people and of strangers (``people``).
"""

# ruff: noqa: S608  every statement is made of parts of ours

from __future__ import annotations

from collections.abc import Iterable

HEAD = """integration_hub_auditentry
  (deed, relation, row_id, actor_id, origin, program, db_user, action, why, before, after, digest, xid)"""
DIGEST = "sha256(convert_to(coalesce({before}::text, '') || '|' || coalesce({after}::text, ''), 'UTF8'))"

_INSERT = f"""
      INSERT INTO {HEAD}
      SELECT TG_OP, TG_TABLE_NAME, d.id, (told->>'actor')::bigint, coalesce(told->'where', '{{}}'), program, session_user,
        coalesce(told->>'action', ''), coalesce(told->>'why', ''), d.b, d.a, {DIGEST.format(before="d.b", after="d.a")},
        pg_current_xact_id()::text::bigint
      FROM (%s) d"""

_KEPT = "(SELECT hub_audit_row(to_jsonb(t), TG_ARGV[1]::text[], TG_ARGV[2]::text[]) AS j FROM {rows} t)"
_OLD, _NEW = _KEPT.format(rows="old_rows"), _KEPT.format(rows="new_rows")
_UPDATED = f"""
        SELECT o.j->>TG_ARGV[0] AS id, c.b, c.a FROM {_OLD} o JOIN {_NEW} n ON n.j->>TG_ARGV[0] = o.j->>TG_ARGV[0]
        CROSS JOIN LATERAL (
          SELECT jsonb_object_agg(e.key, e.value) AS b, jsonb_object_agg(e.key, n.j->e.key) AS a
          FROM jsonb_each(o.j) e WHERE n.j->e.key IS DISTINCT FROM e.value) c
        WHERE o.j IS DISTINCT FROM n.j AND c.b IS NOT NULL"""
_DELETED = f"SELECT o.j->>TG_ARGV[0] AS id, o.j AS b, NULL::jsonb AS a FROM {_OLD} o"
_EMPTIED = "SELECT '' AS id, NULL::jsonb AS b, NULL::jsonb AS a"
_MADE = f"SELECT n.j->>TG_ARGV[0] AS id, NULL::jsonb AS b, n.j AS a FROM {_NEW} n"

FUNCTION = f"""
CREATE OR REPLACE FUNCTION hub_audit_row(j jsonb, ignored text[], secret text[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN secret = '{{}}' THEN j - ignored ELSE (j - ignored) || coalesce((
    SELECT jsonb_object_agg(name, CASE WHEN j->>name IS NULL THEN NULL
      ELSE '•••' || left(encode(sha256(convert_to(j->>name, 'UTF8')), 'hex'), 8) END)
    FROM unnest(secret) name WHERE j ? name), '{{}}') END
$$;

CREATE OR REPLACE FUNCTION hub_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told jsonb := nullif(current_setting('hub.origin', true), '')::jsonb;
  program text := current_setting('application_name', true);
BEGIN
  IF TG_OP = 'UPDATE' THEN
    {_INSERT % _UPDATED};
  ELSIF TG_OP = 'DELETE' THEN
    {_INSERT % _DELETED};
  ELSIF TG_OP = 'TRUNCATE' THEN
    {_INSERT % _EMPTIED};
  ELSE
    {_INSERT % _MADE};
  END IF;
  RETURN NULL;
END $$;
"""
DROP = "DROP FUNCTION IF EXISTS hub_audit(); DROP FUNCTION IF EXISTS hub_audit_row(jsonb, text[], text[]);"

_PEOPLE = "current_setting('hub.origin', true) <> '' OR current_setting('application_name', true) NOT LIKE 'hub%'"
_MOMENTS = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows",
    "update": "AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows",
    "truncate": "BEFORE TRUNCATE ON {table}",
}


def names() -> list[str]:
    """The triggers that an audited table has."""
    return [f"hub_audit_{moment}" for moment in _MOMENTS]


def arguments(key: str, ignored: Iterable[str], secret: Iterable[str], *, always: bool) -> list[str]:
    """What the function is told about a table."""
    return [key, _array(ignored), _array(secret), "always" if always else "people"]


def create(table: str, given: list[str]) -> str:
    """The statements that put a table under audit, whatever stood there before."""
    told = ", ".join(f"'{value}'" for value in given)
    return "\n".join(
        f"DROP TRIGGER IF EXISTS hub_audit_{moment} ON {table};"
        f"CREATE TRIGGER hub_audit_{moment} {on.format(table=table)} FOR EACH STATEMENT {_when(moment, given)}"
        f"EXECUTE FUNCTION hub_audit({told});"
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER hub_audit_{moment};"
        for moment, on in _MOMENTS.items()
    )


def _when(moment: str, given: list[str]) -> str:
    """What the hub itself inserts does not even call the function: that is the way in of every order."""
    return f"WHEN ({_PEOPLE}) " if moment == "insert" and given[3] == "people" else ""


def _array(words: Iterable[str]) -> str:
    return "{" + ",".join(sorted(words)) + "}"
