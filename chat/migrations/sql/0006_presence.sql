-- Presence: one row per open socket, one announcement per change of a person.

-- The state of a person over all his sockets that were seen in the last 45 s.
CREATE FUNCTION app.presence_state(p_user uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT CASE WHEN bool_or(state = 'online') THEN 'online' WHEN count(*) > 0 THEN 'away' ELSE 'offline' END
    FROM public.presence WHERE "user" = p_user AND seen_at > clock_timestamp() - interval '45 seconds'
$$;

-- Note sockets of a process. p_all: these are all it has, others of its are gone; else p_gone names those that went. What
-- is gone only grows old, and is swept 10 s later: if the process dies before it has announced that, whoever sweeps does.
-- Returned are people of whom a socket counts again that no longer did: it had not been noted for so long that others
-- were told that they are away.
CREATE FUNCTION app.presence_note(
  p_process uuid, p_connections uuid[], p_users uuid[], p_states text[], p_gone uuid[], p_all boolean) RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  UPDATE public.presence SET seen_at = clock_timestamp() - interval '45 seconds'
   WHERE (connection = ANY (p_gone) OR (p_all AND process = p_process AND connection <> ALL (p_connections)))
     AND seen_at > clock_timestamp() - interval '45 seconds';
  WITH noted AS (
    INSERT INTO public.presence AS p (connection, "user", process, state, seen_at)
    SELECT c, u, p_process, s, clock_timestamp() FROM unnest(p_connections, p_users, p_states) AS t (c, u, s) ORDER BY c
        ON CONFLICT (connection) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at
    RETURNING new."user", old.seen_at AS before
  )
  SELECT DISTINCT "user" FROM noted
   WHERE before IS NULL OR before <= clock_timestamp() - interval '45 seconds';
$$;

-- Which of these people are in another state than others were last told. Each change is returned to one caller only.
-- Leaving is when "last seen" is written.
CREATE FUNCTION app.presence_settle(p_users uuid[]) RETURNS TABLE (user_id uuid, state text, last_seen_at timestamptz, sessions uuid[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
#variable_conflict use_column
DECLARE
  v_user uuid;
  v_state text;
BEGIN
  PERFORM app.require_system();
  FOR v_user IN SELECT DISTINCT x FROM unnest(p_users) x ORDER BY x LOOP
    v_state := app.presence_state(v_user);
    INSERT INTO public.presence_announced AS a ("user", state) VALUES (v_user, v_state)
        ON CONFLICT ("user") DO UPDATE SET state = excluded.state WHERE a.state <> excluded.state;
    CONTINUE WHEN NOT FOUND;
    IF v_state = 'offline' THEN
      UPDATE public.accounts_user u SET last_seen_at = clock_timestamp() WHERE u.id = v_user;
    END IF;
    RETURN QUERY
      SELECT u.id, v_state, u.last_seen_at,
             ARRAY(SELECT p.session_id FROM public.chat_participants p WHERE p.user_id = u.id AND p.left_at IS NULL)
        FROM public.accounts_user u WHERE u.id = v_user;
  END LOOP;
END
$$;

-- Remove the sockets that are gone and those of processes that died, and return whose they were. What another process
-- notes or sweeps at this moment is left to it.
CREATE FUNCTION app.presence_sweep() RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  DELETE FROM public.presence WHERE connection IN (
    SELECT connection FROM public.presence WHERE seen_at < clock_timestamp() - interval '55 seconds' FOR UPDATE SKIP LOCKED)
  RETURNING "user"
$$;

-- The states of a session's members, for its members and staff; no row for anybody else.
CREATE FUNCTION app.session_presence(p_session uuid) RETURNS TABLE (user_id uuid, state text, last_seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT u.id, app.presence_state(u.id), u.last_seen_at
    FROM public.chat_participants p JOIN public.accounts_user u ON u.id = p.user_id
   WHERE p.session_id = p_session AND p.left_at IS NULL
     AND (p_session IN (SELECT app.my_sessions()) OR app.role() IN ('monitor', 'admin', 'super_admin'))
   ORDER BY u.id
$$;

GRANT EXECUTE ON FUNCTION app.session_presence(uuid) TO samia_app, samia_staff;
-- They speak for anybody, so only the system may call them (app.require_system).
GRANT EXECUTE ON FUNCTION
  app.presence_note(uuid, uuid[], uuid[], text[], uuid[], boolean), app.presence_settle(uuid[]), app.presence_sweep()
TO samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.presence_state(uuid) OWNER TO samia_definer;
ALTER FUNCTION app.presence_note(uuid, uuid[], uuid[], text[], uuid[], boolean) OWNER TO samia_definer;
ALTER FUNCTION app.presence_settle(uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.presence_sweep() OWNER TO samia_definer;
ALTER FUNCTION app.session_presence(uuid) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.session_presence(uuid);
DROP FUNCTION app.presence_sweep();
DROP FUNCTION app.presence_settle(uuid[]);
DROP FUNCTION app.presence_note(uuid, uuid[], uuid[], text[], uuid[], boolean);
DROP FUNCTION app.presence_state(uuid);
