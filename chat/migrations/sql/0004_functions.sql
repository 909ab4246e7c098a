-- What the application may do without rights on the tables themselves, and what a process asks for all its sockets.
-- Refusals are codes and not exceptions: 'ok' or the `code` of a class in chat/errors.py.

-- Open a session with its members and counters, in one. p_people: with whom (besides the booking's parties).
-- 'exists': the live session of that booking, also for the loser of a race. The booking's reader enters it if he never was
-- a member: the platform has named another one since (joined: his id). Nobody else enters by opening: whom staff removed
-- stays out, and a client who was put in another's place must not read what that one wrote; both get 'forbidden' until
-- staff add them or end the session (docs/decisions/0008).
CREATE FUNCTION app.open_session(p_type text, p_title text, p_booking uuid, p_people uuid[])
RETURNS TABLE (code text, session_id uuid, joined uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
#variable_conflict use_column
DECLARE
  v_role text := app.role();
  v_may_all boolean := coalesce(v_role IN ('admin', 'super_admin', 'system'), false);
  v_people uuid[] := p_people;
  v_booking public.bookings;
  v_id uuid := uuidv7();
  v_known integer;
  v_last bigint;
  v_is_member boolean;
BEGIN
  session_id := NULL;
  IF v_role IS NULL THEN
    code := 'forbidden'; RETURN NEXT; RETURN;
  END IF;
  IF p_type = 'booking' THEN
    SELECT * INTO v_booking FROM public.bookings b WHERE b.id = p_booking;
    IF NOT FOUND OR NOT (v_may_all OR v_role = 'monitor' OR app.uid() IN (v_booking.client_id, v_booking.reader_id)) THEN
      code := 'not_found'; RETURN NEXT; RETURN;
    ELSIF v_role = 'monitor' AND app.uid() IS DISTINCT FROM v_booking.reader_id THEN
      code := 'forbidden'; RETURN NEXT; RETURN;
    ELSIF v_booking.reader_id IS NULL THEN
      code := 'no_reader'; RETURN NEXT; RETURN;
    ELSIF v_booking.status = 'cancelled' THEN
      code := 'booking_cancelled'; RETURN NEXT; RETURN;
    END IF;
    v_people := ARRAY[v_booking.client_id, v_booking.reader_id];
  ELSIF p_type = 'support' THEN
    v_people := array_append(p_people, app.uid());
    -- One answer for whoever is no administrator, there or not: otherwise it would tell which ids are people.
    IF NOT v_may_all AND EXISTS (
         SELECT FROM unnest(p_people) named WHERE NOT EXISTS (
           SELECT FROM public.accounts_user u
            WHERE u.id = named AND u.is_active AND u.role IN ('admin', 'super_admin'))) THEN
      code := 'unknown_person'; RETURN NEXT; RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM public.accounts_user u
                    WHERE u.id = ANY (v_people) AND u.role IN ('admin', 'super_admin') AND u.is_active) THEN
      -- Nobody of the staff was named: the one with the fewest open support sessions.
      SELECT array_append(v_people, u.id) INTO v_people FROM public.accounts_user u
       WHERE u.role IN ('admin', 'super_admin') AND u.is_active
       ORDER BY (SELECT count(*) FROM public.chat_participants p JOIN public.chat_sessions c ON c.id = p.session_id
                  WHERE p.user_id = u.id AND p.left_at IS NULL AND c.type = 'support' AND c.status = 'active'),
                u.role = 'super_admin', u.id
       LIMIT 1;
      IF NOT FOUND THEN
        code := 'no_staff'; RETURN NEXT; RETURN;
      END IF;
    END IF;
  ELSIF NOT v_may_all THEN
    code := 'forbidden'; RETURN NEXT; RETURN;
  END IF;

  v_people := ARRAY(SELECT DISTINCT x FROM unnest(v_people) x WHERE x IS NOT NULL ORDER BY x);
  SELECT count(*) INTO v_known FROM public.accounts_user u WHERE u.id = ANY (v_people) AND u.is_active;
  IF v_known = 0 OR v_known <> cardinality(v_people) THEN
    code := 'unknown_person'; RETURN NEXT; RETURN;
  END IF;

  LOOP
    INSERT INTO public.chat_sessions (id, type, title, booking_id, status)
    VALUES (v_id, p_type, p_title, p_booking, 'active')
        ON CONFLICT (booking_id) WHERE type = 'booking' AND status NOT IN ('ended', 'archived') DO NOTHING;
    EXIT WHEN FOUND;
    -- Whatever ends it takes this lock first, and so does whatever changes its members.
    SELECT s.session_id, s.last_seq INTO session_id, v_last
      FROM public.chat_session_state s JOIN public.chat_sessions c ON c.id = s.session_id
     WHERE c.booking_id = p_booking AND c.type = 'booking' AND c.status NOT IN ('ended', 'archived')
       FOR UPDATE OF s;
    -- Ended between the two statements, or while this one waited: the next round opens a new one.
    CONTINUE WHEN NOT EXISTS (
      SELECT FROM public.chat_sessions c WHERE c.id = session_id AND c.status NOT IN ('ended', 'archived'));
    SELECT p.left_at IS NULL INTO v_is_member FROM public.chat_participants p
     WHERE p.session_id = open_session.session_id AND p.user_id = app.uid(); -- NULL: he never was
    IF v_role IN ('client', 'reader') AND NOT coalesce(v_is_member, app.uid() = v_booking.reader_id) THEN
      code := 'forbidden'; session_id := NULL; RETURN NEXT; RETURN;
    END IF;
    INSERT INTO public.chat_participants
      (session_id, user_id, role_in_session, delivered_seq, seen_seq, read_seq, own_ahead, session_status)
    SELECT open_session.session_id, u.id, CASE WHEN u.role IN ('client', 'reader') THEN u.role ELSE 'staff' END,
           v_last, v_last, v_last, 0, 'active'
      FROM public.accounts_user u WHERE u.id = v_booking.reader_id
        ON CONFLICT DO NOTHING
    RETURNING user_id INTO joined;
    code := 'exists'; RETURN NEXT; RETURN;
  END LOOP;
  INSERT INTO public.chat_session_state (session_id, last_seq, revision, members_revision) VALUES (v_id, 0, 0, 0);
  INSERT INTO public.chat_participants (session_id, user_id, role_in_session, delivered_seq, seen_seq, read_seq, own_ahead, session_status)
  SELECT v_id, u.id, CASE WHEN u.role IN ('client', 'reader') THEN u.role ELSE 'staff' END, 0, 0, 0, 0, 'active'
    FROM public.accounts_user u WHERE u.id = ANY (v_people) ORDER BY u.id;
  code := 'ok'; session_id := v_id;
  RETURN NEXT;
END
$$;

-- Carry out a verb on a session's state. 'unchanged': it was so already, nothing is written.
CREATE FUNCTION app.change_session(p_session uuid, p_verb text)
RETURNS TABLE (code text, status text, revision bigint, members_revision bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
#variable_conflict use_column
DECLARE
  v_role text := app.role();
  v_from text[] := CASE p_verb
    WHEN 'pause' THEN '{active}' WHEN 'resume' THEN '{paused}'
    WHEN 'lock' THEN '{active,paused}' WHEN 'unlock' THEN '{locked}'
    WHEN 'end' THEN '{active,paused,locked}' WHEN 'archive' THEN '{ended}' END::text[];
  v_to text := CASE p_verb
    WHEN 'pause' THEN 'paused' WHEN 'resume' THEN 'active' WHEN 'lock' THEN 'locked' WHEN 'unlock' THEN 'active'
    WHEN 'end' THEN 'ended' WHEN 'archive' THEN 'archived' END;
  v_member_role text;
BEGIN
  -- Sending, editing and every other change take this lock first, so none of them can slip in after the end.
  SELECT s.revision, s.members_revision INTO revision, members_revision
    FROM public.chat_session_state s WHERE s.session_id = p_session FOR UPDATE;
  SELECT c.status INTO status FROM public.chat_sessions c WHERE c.id = p_session;
  SELECT p.role_in_session INTO v_member_role FROM public.chat_participants p
   WHERE p.session_id = p_session AND p.user_id = app.uid() AND p.left_at IS NULL;
  IF status IS NULL OR v_role IS NULL OR (v_role IN ('client', 'reader') AND v_member_role IS NULL) THEN
    code := 'not_found';
  ELSIF NOT (v_role IN ('admin', 'super_admin', 'system')
             OR (v_role = 'monitor' AND p_verb IN ('lock', 'unlock'))
             OR (v_role = 'reader' AND v_member_role = 'reader' AND p_verb IN ('pause', 'resume', 'end'))) THEN
    code := 'forbidden';
  ELSIF status = v_to THEN
    code := 'unchanged';
  ELSIF NOT status = ANY (v_from) THEN
    code := 'session_state';
  ELSE
    UPDATE public.chat_sessions c
       SET status = v_to, updated_at = clock_timestamp(),
           ended_at = CASE WHEN v_to = 'ended' THEN clock_timestamp() ELSE c.ended_at END
     WHERE c.id = p_session;
    UPDATE public.chat_session_state s SET revision = s.revision + 1 WHERE s.session_id = p_session
    RETURNING s.revision INTO revision;
    status := v_to;
    code := 'ok';
  END IF;
  RETURN NEXT;
END
$$;

-- Move one's own cursors up to a number: delivered, seen (and so delivered) or read (and so both). 'unchanged' when they
-- stood there already. Takes no lock that a send waits for longer than for its own row.
CREATE FUNCTION app.move_cursor(p_session uuid, p_kind text, p_up_to bigint)
RETURNS TABLE (code text, delivered bigint, seen bigint, read bigint, own_ahead bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
#variable_conflict use_column
DECLARE
  v_row public.chat_participants;
  v_last bigint;
BEGIN
  -- Locked first: the count below must see what a concurrent send of the same person has written.
  SELECT * INTO v_row FROM public.chat_participants p
   WHERE p.session_id = p_session AND p.user_id = app.uid() AND p.left_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    code := 'not_found'; RETURN NEXT; RETURN;
  END IF;
  SELECT s.last_seq INTO v_last FROM public.chat_session_state s WHERE s.session_id = p_session;
  delivered := greatest(v_row.delivered_seq, p_up_to);
  seen := CASE WHEN p_kind IN ('seen', 'read') THEN greatest(v_row.seen_seq, p_up_to) ELSE v_row.seen_seq END;
  read := CASE WHEN p_kind = 'read' THEN greatest(v_row.read_seq, p_up_to) ELSE v_row.read_seq END;
  own_ahead := v_row.own_ahead;
  IF v_row.session_status = 'archived' THEN
    code := 'session_state';
  ELSIF p_up_to > v_last THEN
    code := 'beyond_last';
  ELSIF (delivered, seen, read) = (v_row.delivered_seq, v_row.seen_seq, v_row.read_seq) THEN
    code := 'unchanged';
  ELSE
    IF read > v_row.read_seq AND v_row.own_ahead > 0 THEN
      SELECT count(*) INTO own_ahead FROM public.chat_messages m
       WHERE m.session_id = p_session AND m.seq > read AND m.sender_id = v_row.user_id;
    END IF;
    UPDATE public.chat_participants p
       SET delivered_seq = delivered, seen_seq = seen, read_seq = read, own_ahead = move_cursor.own_ahead
     WHERE p.id = v_row.id;
    code := 'ok';
  END IF;
  RETURN NEXT;
END
$$;

-- For a process: they answer for anybody, so only the system may ask (app.require_system) ---------------------------------

-- Heads of all sessions of these people, and of those that staff look into: what a heartbeat and a new socket need.
CREATE FUNCTION app.session_heads(p_users uuid[], p_sessions uuid[])
RETURNS TABLE (session_id uuid, user_id uuid, last_seq bigint, revision bigint, members_revision bigint, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  SELECT s.session_id, p.user_id, s.last_seq, s.revision, s.members_revision, c.status
    FROM public.chat_participants p
    JOIN public.chat_session_state s ON s.session_id = p.session_id
    JOIN public.chat_sessions c ON c.id = p.session_id
   WHERE p.user_id = ANY (p_users) AND p.left_at IS NULL
  UNION ALL
  SELECT s.session_id, NULL, s.last_seq, s.revision, s.members_revision, c.status
    FROM public.chat_session_state s JOIN public.chat_sessions c ON c.id = s.session_id
   WHERE s.session_id = ANY (p_sessions)
$$;

-- The members of these sessions now, with the heads: what a process asks after an access notice.
CREATE FUNCTION app.session_members(p_sessions uuid[])
RETURNS TABLE (session_id uuid, members uuid[], last_seq bigint, revision bigint, members_revision bigint, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  SELECT s.session_id, c.participants, s.last_seq, s.revision, s.members_revision, c.status
    FROM public.chat_session_state s JOIN public.chat_sessions c ON c.id = s.session_id
   WHERE s.session_id = ANY (p_sessions)
$$;

-- Record that the actor, one of the staff, reads sessions he is not in: once per person, session and 15 minutes. In order
-- of the chains, as every transaction that writes to several.
CREATE FUNCTION app.record_looks(p_sessions uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_since uuid := uuidv7(interval '-15 minutes'); -- a value: the volatile function itself would be asked for every record
  v_seen uuid[];
  v_session uuid;
BEGIN
  IF app.role() IN ('monitor', 'admin', 'super_admin') THEN
    SELECT array_agg(l.session_id) INTO v_seen FROM public.chat_audit_logs l
     WHERE l.actor = app.uid() AND l.id > v_since AND l.action = 'session.viewed';
    FOR v_session IN
      SELECT unnest(p_sessions) EXCEPT SELECT unnest(v_seen) EXCEPT SELECT app.my_sessions() ORDER BY 1
    LOOP
      PERFORM app.audit_append('session.viewed', 'chat_sessions', v_session, v_session, NULL, NULL);
    END LOOP;
  END IF;
END
$$;

-- What is too old to keep as evidence. Returns the number of former texts removed.
CREATE FUNCTION app.sweep_versions(p_days integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  WITH gone AS (
    DELETE FROM public.chat_message_versions WHERE replaced_at < now() - make_interval(days => p_days) RETURNING 1)
  SELECT count(*) FROM gone
$$;

GRANT EXECUTE ON FUNCTION
  app.open_session(text, text, uuid, uuid[]), app.change_session(uuid, text),
  app.move_cursor(uuid, text, bigint), app.record_looks(uuid[])
TO samia_app, samia_staff;
-- Staff's role is the system's, too; which of them asks, the functions look at themselves.
GRANT EXECUTE ON FUNCTION
  app.session_heads(uuid[], uuid[]), app.session_members(uuid[]), app.sweep_versions(integer)
TO samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.open_session(text, text, uuid, uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.change_session(uuid, text) OWNER TO samia_definer;
ALTER FUNCTION app.record_looks(uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.session_heads(uuid[], uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.session_members(uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.sweep_versions(integer) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.sweep_versions(integer);
DROP FUNCTION app.record_looks(uuid[]);
DROP FUNCTION app.session_members(uuid[]);
DROP FUNCTION app.session_heads(uuid[], uuid[]);
DROP FUNCTION app.move_cursor(uuid, text, bigint);
DROP FUNCTION app.change_session(uuid, text);
DROP FUNCTION app.open_session(text, text, uuid, uuid[]);
