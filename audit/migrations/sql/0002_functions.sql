-- Who acts, as the backend wrote it when the transaction began (samia_chat/actor.py). NULL: nobody, or the system.
CREATE FUNCTION app.uid() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('app.actor', true), '')::uuid $$;
GRANT EXECUTE ON FUNCTION app.uid() TO samia_app, samia_staff, samia_definer;

-- Heads of the chains. Only the functions below reach them, so nobody can cut a tail and lower the head to match.
CREATE TABLE audit_chains (
  chain uuid PRIMARY KEY,
  n bigint NOT NULL,
  hash bytea NOT NULL
) WITH (fillfactor = 50); -- every record updates its head: half-full pages keep the update in place

-- The text over which a record's hash is taken. Times as microseconds, so that no session setting changes it. STABLE and not
-- IMMUTABLE, so that it is inlined into the statement.
CREATE FUNCTION app.audit_text(
  p_chain uuid, p_n bigint, p_id uuid, p_at timestamptz, p_actor uuid, p_role text, p_name text, p_action text,
  p_table text, p_record uuid, p_session uuid, p_old jsonb, p_new jsonb, p_origin bytea, p_request text, p_reason text
) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_array(
    p_chain, p_n, p_id, (extract(epoch FROM p_at) * 1000000)::bigint, p_actor, p_role, p_name, p_action, p_table,
    p_record, p_session, p_old, p_new, encode(p_origin, 'hex'), p_request, p_reason)::text
$$;

-- Append one record. The chain is the session's, else the actor's, else the row's.
CREATE FUNCTION app.audit_append(
  p_action text, p_table text, p_record uuid, p_session uuid, p_old jsonb, p_new jsonb
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_context jsonb := coalesce(nullif(current_setting('app.context', true), ''), '{}')::jsonb;
  v_actor uuid := app.uid();
  v_role text := coalesce(v_context ->> 'role', '');
  v_name text := coalesce(v_context ->> 'name', '');
  v_address inet := (v_context ->> 'address')::inet;
  v_agent text := v_context ->> 'agent';
  v_request text := coalesce(v_context ->> 'request', '');
  v_reason text := coalesce(v_context ->> 'reason', '');
  v_chain uuid := coalesce(p_session, v_actor, p_record, '00000000-0000-0000-0000-000000000000');
  v_id uuid := uuidv7();
  v_at timestamptz := clock_timestamp();
  v_salt uuid;
  v_origin bytea;
BEGIN
  IF v_address IS NOT NULL OR v_agent IS NOT NULL THEN
    -- Drawn once by the server for a socket or request; erasing somebody erases it in all his records.
    v_salt := coalesce((v_context ->> 'salt')::uuid, gen_random_uuid());
    v_origin := sha256(convert_to(concat_ws(' ', v_salt, v_address, v_agent), 'UTF8'));
  END IF;
  -- One statement takes the head's lock, numbers the record, hashes it onto the one before and writes it.
  LOOP
    WITH head AS (
      UPDATE public.audit_chains c
         SET n = c.n + 1,
             hash = sha256(c.hash || convert_to(app.audit_text(
               v_chain, c.n + 1, v_id, v_at, v_actor, v_role, v_name, p_action, p_table, p_record, p_session, p_old, p_new,
               v_origin, v_request, v_reason), 'UTF8'))
       WHERE c.chain = v_chain
      RETURNING c.n, c.hash)
    INSERT INTO public.chat_audit_logs (
      id, at, actor, actor_role, actor_name, action, table_name, record_id, session_id, old_values, new_values,
      ip_address, user_agent, request_id, reason, origin_salt, origin_digest, chain, n, hash)
    SELECT
      v_id, v_at, v_actor, v_role, v_name, p_action, p_table, p_record, p_session, p_old, p_new,
      v_address, v_agent, v_request, v_reason, v_salt, v_origin, v_chain, head.n, head.hash FROM head;
    EXIT WHEN FOUND;
    INSERT INTO public.audit_chains (chain, n, hash) VALUES (v_chain, 0, ''::bytea) ON CONFLICT DO NOTHING;
  END LOOP;
END
$$;

-- For what leaves no row behind. Only these: what triggers and functions write themselves cannot be forged through it.
CREATE FUNCTION app.audit_event(p_action text, p_table text, p_record uuid, p_session uuid, p_values jsonb)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF p_action NOT IN ('access.refused', 'sign_in.succeeded', 'sign_in.failed', 'sign_in.delayed', 'sign_in.throttled',
                      'sign_in.ended', 'sign_in.ended_all', 'sign_in.revoked', 'ticket.issued', 'password.refused') THEN
    RAISE EXCEPTION 'not an event: %', p_action USING ERRCODE = 'check_violation';
  END IF;
  PERFORM app.audit_append(p_action, p_table, p_record, p_session, NULL, p_values);
END
$$;
GRANT EXECUTE ON FUNCTION app.audit_event(text, text, uuid, uuid, jsonb) TO samia_app, samia_staff;

-- A row as it is recorded: without empty and hidden columns, the digested one as its length and sha256(salt ‖ text).
CREATE FUNCTION app.audit_values(p_row jsonb, p_hidden text[], p_digested text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  v_text text := p_row ->> p_digested;
  v_values jsonb := jsonb_strip_nulls(p_row - p_hidden - p_digested);
BEGIN
  IF v_text IS NULL THEN
    RETURN v_values;
  END IF;
  RETURN v_values || jsonb_build_object(
    p_digested || '_length', length(v_text),
    p_digested || '_sha256', encode(sha256(convert_to((p_row ->> 'salt') || v_text, 'UTF8')), 'hex'));
END
$$;

-- The entries of one object that another does not have, or has otherwise.
CREATE FUNCTION app.audit_changes(p_of jsonb, p_against jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(p_of) WHERE value IS DISTINCT FROM p_against -> key
$$;

-- The verb of an update: of 'column:verb', 'column=value:verb' and 'column=former>value:verb' the first whose column
-- changed (to that value, from that former one; nothing after '=' stands for NULL), else 'changed'.
CREATE FUNCTION app.audit_verb(p_old jsonb, p_new jsonb, p_verbs text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v_item text;
  v_parts text[];
BEGIN
  FOREACH v_item IN ARRAY string_to_array(p_verbs, ',') LOOP
    v_parts := regexp_match(v_item, '^(\w+)(=(?:(\w+)>)?(\w*))?:(\w+)$');
    IF p_new -> v_parts[1] IS DISTINCT FROM p_old -> v_parts[1]
       AND (v_parts[2] IS NULL OR p_new ->> v_parts[1] IS NOT DISTINCT FROM nullif(v_parts[4], ''))
       AND (v_parts[3] IS NULL OR p_old ->> v_parts[1] = v_parts[3]) THEN
      RETURN v_parts[5];
    END IF;
  END LOOP;
  RETURN 'changed';
END
$$;

-- The generic trigger: AFTER INSERT OR UPDATE OR DELETE … EXECUTE FUNCTION app.audit_row(
--   noun            the action is noun.verb
--   session column  holds the session's id, or ''
--   hidden columns  never recorded, comma separated
--   digested        recorded as length and hash only, salted by the row's own `salt`, or ''
--   insert verb     'created'
--   update verbs    see app.audit_verb)
CREATE FUNCTION app.audit_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_hidden text[] := string_to_array(TG_ARGV[2], ',');
  v_row jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
  v_was jsonb;
  v_old jsonb;
  v_new jsonb;
  v_verb text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    v_verb := TG_ARGV[4];
    v_new := app.audit_values(v_row, v_hidden, TG_ARGV[3]);
  ELSIF TG_OP = 'DELETE' THEN
    v_verb := 'removed';
    v_old := app.audit_values(v_row, v_hidden, TG_ARGV[3]);
  ELSE
    v_was := to_jsonb(OLD);
    v_verb := app.audit_verb(v_was, v_row, TG_ARGV[5]);
    v_was := app.audit_values(v_was, v_hidden, TG_ARGV[3]);
    v_new := app.audit_values(v_row, v_hidden, TG_ARGV[3]);
    v_old := app.audit_changes(v_was, v_new);
    v_new := app.audit_changes(v_new, v_was);
  END IF;
  PERFORM app.audit_append(
    TG_ARGV[0] || '.' || v_verb, TG_TABLE_NAME, (v_row ->> 'id')::uuid,
    CASE WHEN TG_ARGV[1] <> '' THEN (v_row ->> TG_ARGV[1])::uuid END, v_old, v_new);
  RETURN NULL;
END
$$;
GRANT EXECUTE ON FUNCTION
  app.audit_text(uuid, bigint, uuid, timestamptz, uuid, text, text, text, text, uuid, uuid, jsonb, jsonb, bytea, text, text),
  app.audit_values(jsonb, text[], text), app.audit_changes(jsonb, jsonb), app.audit_verb(jsonb, jsonb, text)
TO samia_definer;

-- Append-only for every role, the owner of the table and the superuser included. One change is allowed: erasing where a
-- record came from, which its hash does not cover (its digest stays).
CREATE FUNCTION app.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    OLD.ip_address := NULL; OLD.user_agent := NULL; OLD.origin_salt := NULL;
    IF NEW IS NOT DISTINCT FROM OLD THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON chat_audit_logs
  FOR EACH ROW EXECUTE FUNCTION app.audit_is_append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON chat_audit_logs
  FOR EACH STATEMENT EXECUTE FUNCTION app.audit_is_append_only();

-- What is wrong with the chains: one row per fault, none when all is well. p_chain NULL: every chain.
--   changed  a record's hash is not that of its contents and of the record before
--   missing  a number is not there        cut  the head counts further than the records go
--   origin   address and user agent are not those that were recorded
CREATE FUNCTION app.audit_faults(p_chain uuid) RETURNS TABLE (chain uuid, n bigint, fault text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  WITH logs AS (
    SELECT l.*, lag(l.n, 1, 0::bigint) OVER w AS n_before, lag(l.hash, 1, ''::bytea) OVER w AS hash_before
      FROM public.chat_audit_logs l
     WHERE p_chain IS NULL OR l.chain = p_chain
    WINDOW w AS (PARTITION BY l.chain ORDER BY l.n)
  ), checked AS (
    SELECT logs.chain, logs.n,
      CASE
        WHEN logs.n <> n_before + 1 THEN 'missing'
        WHEN hash <> sha256(hash_before || convert_to(app.audit_text(
               logs.chain, logs.n, id, at, actor, actor_role, actor_name, action, table_name, record_id, session_id,
               old_values, new_values, origin_digest, request_id, reason), 'UTF8')) THEN 'changed'
        WHEN origin_salt IS NOT NULL AND origin_digest IS DISTINCT FROM sha256(convert_to(
               concat_ws(' ', origin_salt, ip_address, user_agent), 'UTF8')) THEN 'origin'
      END AS fault
    FROM logs
  ), ends AS (
    SELECT h.chain, h.n, h.hash, max(l.n) AS last FROM public.audit_chains h
      LEFT JOIN public.chat_audit_logs l ON l.chain = h.chain
     WHERE p_chain IS NULL OR h.chain = p_chain GROUP BY h.chain
  )
  SELECT c.chain, c.n, c.fault FROM checked c WHERE c.fault IS NOT NULL
  UNION ALL
  SELECT e.chain, coalesce(e.last, 0) + 1, 'cut' FROM ends e WHERE e.n IS DISTINCT FROM coalesce(e.last, 0)
  UNION ALL -- a record of a chain that has no head, or whose last hash the head does not hold
  SELECT l.chain, l.n, 'changed' FROM public.chat_audit_logs l LEFT JOIN public.audit_chains h ON h.chain = l.chain
   WHERE (p_chain IS NULL OR l.chain = p_chain) AND (h.chain IS NULL OR (l.n = h.n AND l.hash <> h.hash))
   ORDER BY 1, 2
$$;
GRANT EXECUTE ON FUNCTION app.audit_faults(uuid) TO samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER TABLE audit_chains OWNER TO samia_definer;
ALTER FUNCTION app.audit_append(text, text, uuid, uuid, jsonb, jsonb) OWNER TO samia_definer;
ALTER FUNCTION app.audit_event(text, text, uuid, uuid, jsonb) OWNER TO samia_definer;
ALTER FUNCTION app.audit_row() OWNER TO samia_definer;
ALTER FUNCTION app.audit_faults(uuid) OWNER TO samia_definer;
-- Later migrations put the trigger on their tables.
SET ROLE samia_definer;
GRANT EXECUTE ON FUNCTION app.audit_row() TO samia_owner;
RESET ROLE;
-- reverse --
DROP FUNCTION app.audit_faults(uuid);
DROP TRIGGER append_only_truncate ON chat_audit_logs;
DROP TRIGGER append_only ON chat_audit_logs;
DROP FUNCTION app.audit_is_append_only();
DROP FUNCTION app.audit_row();
DROP FUNCTION app.audit_verb(jsonb, jsonb, text);
DROP FUNCTION app.audit_changes(jsonb, jsonb);
DROP FUNCTION app.audit_values(jsonb, text[], text);
DROP FUNCTION app.audit_event(text, text, uuid, uuid, jsonb);
DROP FUNCTION app.audit_append(text, text, uuid, uuid, jsonb, jsonb);
DROP FUNCTION app.audit_text(uuid, bigint, uuid, timestamptz, uuid, text, text, text, text, uuid, uuid, jsonb, jsonb, bytea, text, text);
DROP TABLE audit_chains;
DROP FUNCTION app.uid();
