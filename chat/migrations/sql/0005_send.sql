-- The send path. Each message is stored under its sender's own identity and row-level security, in a batch or alone.
--
-- Per message, each a statement of its own so that it sees what was committed while it waited: the lock of the session's
-- counters, the replay check, the rules (all in app.admit_message), then the row; its triggers write the record, move the
-- counters and the sender's cursors. Callers order a batch by session; locks are taken in that order, and a session's audit
-- chain only under its counters' lock.

-- The numbers after which a message comes, when it may: `code` as of app.send_chat_messages, but 'ok' for one to be stored.
CREATE TYPE app.admission AS (code text, last_seq bigint, revision bigint, members_revision bigint);

-- Lock the counters and decide. A definer function: the rules would ask for the sender's memberships in each of these
-- statements, and that was a quarter of a send. It tells no more than they would; the row itself is still checked by them.
CREATE FUNCTION app.admit_message(p_session uuid, p_id uuid, p_reply uuid, p_request text) RETURNS app.admission
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_sender uuid := app.uid();
  v_admission app.admission;
  v_known record;
BEGIN
  -- Only of one's own sessions: nobody holds up a session that he is not in.
  SELECT NULL, s.last_seq, s.revision, s.members_revision INTO v_admission FROM public.chat_session_state s
   WHERE s.session_id = p_session AND EXISTS (
     SELECT FROM public.chat_participants p WHERE p.session_id = p_session AND p.user_id = v_sender AND p.left_at IS NULL)
     FOR UPDATE;
  IF NOT FOUND THEN -- staff see every session
    v_admission.code := CASE WHEN app.role() IN ('monitor', 'admin', 'super_admin')
      AND EXISTS (SELECT FROM public.chat_sessions c WHERE c.id = p_session) THEN 'forbidden' ELSE 'not_found' END;
    RETURN v_admission;
  END IF;

  -- The member again, for who was removed while this waited for the lock.
  SELECT p.session_status, u.is_active, m.id, m.sender_id, m.session_id, m.request_hash, m.salt INTO v_known
    FROM (SELECT) AS always
    LEFT JOIN public.chat_participants p ON p.session_id = p_session AND p.user_id = v_sender AND p.left_at IS NULL
    LEFT JOIN public.accounts_user u ON u.id = p.user_id
    LEFT JOIN public.chat_messages m ON m.id = p_id;
  IF v_known.id IS NOT NULL THEN
    v_admission.code := CASE WHEN v_known.sender_id = v_sender AND v_known.session_id = p_session
      AND v_known.request_hash = sha256(convert_to(v_known.salt || p_request, 'UTF8')) THEN 'replayed' ELSE 'id_taken' END;
    RETURN v_admission;
  END IF;

  v_admission.code := CASE
    WHEN v_known.is_active IS NOT TRUE THEN 'forbidden'
    WHEN v_known.session_status <> 'active' THEN 'session_state'
    WHEN p_reply IS NULL THEN 'ok'
    WHEN EXISTS (SELECT FROM public.chat_messages r
                  WHERE r.id = p_reply AND r.session_id = p_session AND r.seq IS NOT NULL) THEN 'ok'
    ELSE 'reply_unknown' END;
  RETURN v_admission;
END
$$;

-- code: 'ok'; 'replayed' (the same request again: nothing is written); or a refusal (chat/errors.py). A refused message
-- leaves nothing, the others of its batch are not concerned.
CREATE FUNCTION app.send_chat_messages(
  p_actors uuid[], p_contexts text[], p_sessions uuid[], p_ids uuid[], p_contents text[], p_replies uuid[]
) RETURNS TABLE (code text, seq bigint, revision bigint, members_revision bigint, created_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
  -- Restored at the end: a connection that is pooled, or a transaction that goes on, keeps no sender.
  v_actor_before text := coalesce(current_setting('app.actor', true), '');
  v_context_before text := coalesce(current_setting('app.context', true), '');
  v_request text;
  v_salt uuid;
  v_admission app.admission;
BEGIN
  FOR i IN 1 .. cardinality(p_actors) LOOP
    seq := NULL; revision := NULL; members_revision := NULL; created_at := NULL;
    PERFORM set_config('app.actor', p_actors[i]::text, true), set_config('app.context', p_contexts[i], true),
            set_config('app.session', p_sessions[i]::text, true);
    v_request := concat_ws(E'\x1f', 'text', p_replies[i], p_contents[i]);
    v_admission := app.admit_message(p_sessions[i], p_ids[i], p_replies[i], v_request);
    code := v_admission.code;
    IF code = 'ok' THEN
      v_salt := gen_random_uuid();
      created_at := clock_timestamp();
      INSERT INTO public.chat_messages (
        id, session_id, sender_id, seq, revision, type, status, content, reply_to_id, request_hash, salt, created_at,
        published_at)
      VALUES (
        p_ids[i], p_sessions[i], p_actors[i], v_admission.last_seq + 1, v_admission.revision + 1, 'text', 'sent',
        p_contents[i], p_replies[i], sha256(convert_to(v_salt || v_request, 'UTF8')), v_salt, created_at, created_at)
      -- Naming the column would need a right to see the other row, and so its rules once more.
      ON CONFLICT DO NOTHING;
      IF FOUND THEN
        seq := v_admission.last_seq + 1;
        revision := v_admission.revision + 1;
        members_revision := v_admission.members_revision;
      ELSE -- the same id arrived in another session at the same moment
        code := 'id_taken'; created_at := NULL;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  PERFORM set_config('app.actor', v_actor_before, true), set_config('app.context', v_context_before, true),
          set_config('app.session', '', true);
END
$$;

-- A message is published: it moves the counters, and the sender's cursors if he had read up to the message before. Whoever
-- numbers a message otherwise than next in line is refused, also in a shell: seq has no holes.
CREATE FUNCTION app.count_message() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_last_message_at timestamptz;
BEGIN
  -- Both rows in one statement: each statement of its own has its price.
  WITH cursors AS (
    UPDATE public.chat_participants p
       SET own_ahead = CASE WHEN p.read_seq = NEW.seq - 1 THEN 0 ELSE p.own_ahead + 1 END,
           delivered_seq = CASE WHEN p.read_seq = NEW.seq - 1 THEN NEW.seq ELSE p.delivered_seq END,
           seen_seq = CASE WHEN p.read_seq = NEW.seq - 1 THEN NEW.seq ELSE p.seen_seq END,
           read_seq = CASE WHEN p.read_seq = NEW.seq - 1 THEN NEW.seq ELSE p.read_seq END
     WHERE p.session_id = NEW.session_id AND p.user_id = NEW.sender_id)
  UPDATE public.chat_session_state s
     SET last_seq = NEW.seq, revision = NEW.revision, last_message_at = NEW.published_at
   WHERE s.session_id = NEW.session_id AND s.last_seq = NEW.seq - 1 AND s.revision = NEW.revision - 1
  RETURNING WITH (OLD AS former) former.last_message_at INTO v_last_message_at;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'message % of session % is not next in line', NEW.seq, NEW.session_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'message_is_next';
  END IF;
  -- Up in everybody's list, at most once a minute: active_at is indexed.
  IF date_trunc('minute', v_last_message_at) IS DISTINCT FROM date_trunc('minute', NEW.published_at) THEN
    UPDATE public.chat_sessions SET active_at = NEW.published_at WHERE id = NEW.session_id;
  END IF;
  RETURN NULL;
END
$$;
-- Their names come before `audit`: counters first, then the chain.
CREATE TRIGGER advance_counters AFTER INSERT ON chat_messages FOR EACH ROW
  WHEN (NEW.seq IS NOT NULL) EXECUTE FUNCTION app.count_message();
CREATE TRIGGER advance_counters_late AFTER UPDATE OF seq ON chat_messages FOR EACH ROW
  WHEN (OLD.seq IS NULL AND NEW.seq IS NOT NULL) EXECUTE FUNCTION app.count_message();

GRANT EXECUTE ON FUNCTION
  app.send_chat_messages(uuid[], text[], uuid[], uuid[], text[], uuid[]), app.admit_message(uuid, uuid, uuid, text)
TO samia_app, samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.admit_message(uuid, uuid, uuid, text) OWNER TO samia_definer;
ALTER FUNCTION app.count_message() OWNER TO samia_definer;
-- reverse --
DROP TRIGGER advance_counters_late ON chat_messages;
DROP TRIGGER advance_counters ON chat_messages;
DROP FUNCTION app.count_message();
DROP FUNCTION app.send_chat_messages(uuid[], text[], uuid[], uuid[], text[], uuid[]);
DROP FUNCTION app.admit_message(uuid, uuid, uuid, text);
DROP TYPE app.admission;
