-- The send path. Each message is stored under its sender's own identity and row-level security, in a batch or alone.
--
-- Per message, each a statement of its own so that it sees what was committed while it waited: the lock of the session's
-- counters, the replay check, the rules, the row, the counters and cursors. The audit trigger runs with the row. Callers
-- order a batch by session; locks are taken in that order, and a session's audit chain only under its counters' lock.
--
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
  v_actor uuid;
  v_session uuid;
  v_request text;
  v_salt uuid;
  v_state public.chat_session_state;
  v_known record;
  v_rules record;
BEGIN
  FOR i IN 1 .. cardinality(p_actors) LOOP
    v_actor := p_actors[i];
    v_session := p_sessions[i];
    code := NULL; seq := NULL; revision := NULL; members_revision := NULL; created_at := NULL;
    PERFORM set_config('app.actor', v_actor::text, true), set_config('app.context', p_contexts[i], true),
            set_config('app.session', v_session::text, true);

    SELECT * INTO v_state FROM public.chat_session_state s WHERE s.session_id = v_session FOR UPDATE;
    IF NOT FOUND THEN
      code := 'not_found'; RETURN NEXT; CONTINUE;
    END IF;

    v_request := concat_ws(E'\x1f', 'text', p_replies[i], p_contents[i]);
    SELECT m.sender_id, m.session_id, m.request_hash, m.salt INTO v_known FROM public.chat_messages m WHERE m.id = p_ids[i];
    IF FOUND THEN
      code := CASE WHEN v_known.sender_id = v_actor AND v_known.session_id = v_session
                    AND v_known.request_hash = sha256(convert_to(v_known.salt || v_request, 'UTF8'))
                   THEN 'replayed' ELSE 'id_taken' END;
      RETURN NEXT; CONTINUE;
    END IF;

    SELECT c.status, c.active_at, u.is_active,
           p_replies[i] IS NULL OR EXISTS (SELECT FROM public.chat_messages r WHERE r.id = p_replies[i]
              AND r.session_id = v_session AND r.seq IS NOT NULL) AS reply_known
      INTO v_rules
      FROM public.chat_participants p
      JOIN public.chat_sessions c ON c.id = p.session_id
      JOIN public.accounts_user u ON u.id = p.user_id
     WHERE p.session_id = v_session AND p.user_id = v_actor AND p.left_at IS NULL;
    code := CASE
      WHEN NOT FOUND OR NOT v_rules.is_active THEN 'forbidden'
      WHEN v_rules.status <> 'active' THEN 'session_state'
      WHEN NOT v_rules.reply_known THEN 'reply_unknown' END;
    IF code IS NOT NULL THEN
      RETURN NEXT; CONTINUE;
    END IF;

    v_salt := gen_random_uuid();
    created_at := clock_timestamp();
    INSERT INTO public.chat_messages (
      id, session_id, sender_id, seq, revision, type, status, content, reply_to_id, request_hash, salt, created_at, published_at)
    VALUES (
      p_ids[i], v_session, v_actor, v_state.last_seq + 1, v_state.revision + 1, 'text', 'sent', p_contents[i],
      p_replies[i], sha256(convert_to(v_salt || v_request, 'UTF8')), v_salt, created_at, created_at)
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN -- somewhere this sender cannot see
      code := 'id_taken'; created_at := NULL; RETURN NEXT; CONTINUE;
    END IF;

    UPDATE public.chat_session_state s
       SET last_seq = v_state.last_seq + 1, revision = v_state.revision + 1, last_message_at = created_at
     WHERE s.session_id = v_session;
    UPDATE public.chat_participants p
       SET own_ahead = CASE WHEN p.read_seq = v_state.last_seq THEN 0 ELSE p.own_ahead + 1 END,
           delivered_seq = CASE WHEN p.read_seq = v_state.last_seq THEN v_state.last_seq + 1 ELSE p.delivered_seq END,
           seen_seq = CASE WHEN p.read_seq = v_state.last_seq THEN v_state.last_seq + 1 ELSE p.seen_seq END,
           read_seq = CASE WHEN p.read_seq = v_state.last_seq THEN v_state.last_seq + 1 ELSE p.read_seq END
     WHERE p.session_id = v_session AND p.user_id = v_actor;
    IF v_rules.active_at < created_at - interval '1 minute' THEN
      PERFORM app.touch_session(v_session);
    END IF;

    code := 'ok';
    seq := v_state.last_seq + 1;
    revision := v_state.revision + 1;
    members_revision := v_state.members_revision;
    RETURN NEXT;
  END LOOP;
  PERFORM set_config('app.actor', v_actor_before, true), set_config('app.context', v_context_before, true),
          set_config('app.session', '', true);
END
$$;
GRANT EXECUTE ON FUNCTION app.send_chat_messages(uuid[], text[], uuid[], uuid[], text[], uuid[]) TO samia_app, samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
-- reverse --
DROP FUNCTION app.send_chat_messages(uuid[], text[], uuid[], uuid[], text[], uuid[]);
