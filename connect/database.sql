-- The capture role and its publication, for the legacy database's administrator: `gateway connect sql` prints it with
-- names filled in, `gateway connect apply` runs it in one transaction. Running it again changes nothing.

-- A role that may log in, replicate and read the captured tables: nothing else.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {{ plan.role | literal }}) THEN
    CREATE ROLE {{ plan.role | ident }};
  END IF;
END $$;
ALTER ROLE {{ plan.role | ident }} WITH LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT
{%- if password %} PASSWORD {{ password | literal }}{% endif %};
GRANT CONNECT ON DATABASE {{ database | ident }} TO {{ plan.role | ident }};
{% for schema in schemas %}
GRANT USAGE ON SCHEMA {{ schema | ident }} TO {{ plan.role | ident }};
{% endfor %}
{% for table in revoked.tables %}
REVOKE ALL ON {{ table | ident }} FROM {{ plan.role | ident }};
{% endfor %}
{% for schema in revoked.schemas %}
REVOKE ALL ON SCHEMA {{ schema | ident }} FROM {{ plan.role | ident }};
{% endfor %}
GRANT SELECT ON
  {{ tables | map("ident") | join(",\n  ") }}
  TO {{ plan.role | ident }};

-- A table keyed by its aggregate must send whole rows, before and after.
{% for table in tables %}
DO $$ BEGIN
  IF (SELECT relreplident <> 'f' FROM pg_class WHERE oid = {{ table | ident | literal }}::regclass) THEN
    ALTER TABLE {{ table | ident }} REPLICA IDENTITY FULL;
  END IF;
END $$;
{% endfor %}

-- The publication is the administrator's: the role cannot change what is captured.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = {{ plan.publication | literal }}) THEN
    CREATE PUBLICATION {{ plan.publication | ident }};
  END IF;
END $$;
ALTER PUBLICATION {{ plan.publication | ident }} SET (publish = 'insert, update, delete, truncate');
ALTER PUBLICATION {{ plan.publication | ident }} SET TABLE
  {{ tables | map("ident") | join(",\n  ") }};
