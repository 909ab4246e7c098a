-- That somebody has played a voice message is a change of it: its sender hears of it as of an edit, and whoever was away learns of
-- it by revision. So who has is kept in the message as well, and nobody writes it but this.

-- Note that the actor, a member who did not send it, has played it. code: 'ok'; 'unchanged', where he had; or a refusal.
CREATE FUNCTION app.play_message(p_message uuid) RETURNS TABLE (code text, members_revision bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
#variable_conflict use_variable
DECLARE
  v_message public.chat_messages;
  v_status text;
  v_revision bigint;
BEGIN
  SELECT * INTO v_message FROM public.chat_messages m WHERE m.id = p_message;
  -- Only of one's own sessions: nobody holds up a session that he is not in. Locked, so that neither it nor the membership ends.
  PERFORM FROM public.chat_session_state s
    WHERE s.session_id = v_message.session_id AND EXISTS (
      SELECT FROM public.chat_participants p
       WHERE p.session_id = s.session_id AND p.user_id = app.uid() AND p.left_at IS NULL)
      FOR UPDATE;
  SELECT p.session_status INTO v_status FROM public.chat_participants p
   WHERE p.session_id = v_message.session_id AND p.user_id = app.uid() AND p.left_at IS NULL;
  SELECT * INTO v_message FROM public.chat_messages m WHERE m.id = p_message;
  code := CASE
    WHEN v_status IS NULL OR v_message.sender_id = app.uid() THEN 'forbidden'
    WHEN v_status = 'archived' THEN 'session_state'
    WHEN v_message.type <> 'audio' OR v_message.seq IS NULL THEN 'not_audio'
    WHEN v_message.deleted_at IS NOT NULL THEN 'message_deleted'
    ELSE 'ok' END;
  IF code = 'ok' THEN
    INSERT INTO public.chat_plays (message_id, session_id, user_id)
    VALUES (p_message, v_message.session_id, app.uid()) ON CONFLICT DO NOTHING;
    code := CASE WHEN FOUND THEN 'ok' ELSE 'unchanged' END;
  END IF;
  IF code = 'ok' THEN
    UPDATE public.chat_session_state s SET revision = s.revision + 1 WHERE s.session_id = v_message.session_id
    RETURNING s.revision, s.members_revision INTO v_revision, members_revision;
    UPDATE public.chat_messages m
       SET revision = v_revision,
           metadata = m.metadata || jsonb_build_object(
             'played_by', coalesce(m.metadata -> 'played_by', '[]') || to_jsonb(app.uid()))
     WHERE m.id = p_message;
  END IF;
  RETURN NEXT;
END
$$;
-- Those who have played before this was told.
UPDATE public.chat_messages m SET metadata = m.metadata || jsonb_build_object('played_by', p.who)
  FROM (SELECT y.message_id, jsonb_agg(y.user_id ORDER BY y.at) AS who FROM public.chat_plays y GROUP BY y.message_id) p
 WHERE p.message_id = m.id;
GRANT EXECUTE ON FUNCTION app.play_message(uuid) TO samia_app, samia_staff;
ALTER FUNCTION app.play_message(uuid) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.play_message(uuid);
