-- Messages with a file: sending one, what publishing and deleting it does to the file, the decision about a voice message, and
-- what opening a file leaves on record. (The trigger guard_file of 0002 says whose file may go into which message.)

-- What members may open follows the message. The file first and what was made of it in a statement of its own, which sees a
-- rendition that was committed while this one waited for the file (app.begin_file holds it).
CREATE FUNCTION app.carry_to_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF NEW.deleted_at IS NOT NULL THEN
    UPDATE public.chat_files SET state = 'deleted', deleted_at = NEW.deleted_at WHERE id = NEW.file_id AND state <> 'deleted';
    UPDATE public.chat_files SET state = 'deleted', deleted_at = NEW.deleted_at
     WHERE parent_id = NEW.file_id AND state <> 'deleted';
  ELSE
    UPDATE public.chat_files SET is_published = true WHERE id = NEW.file_id;
    UPDATE public.chat_files SET is_published = true WHERE parent_id = NEW.file_id;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER file_published AFTER INSERT ON chat_messages FOR EACH ROW
  WHEN (NEW.file_id IS NOT NULL AND NEW.seq IS NOT NULL) EXECUTE FUNCTION app.carry_to_file();
CREATE TRIGGER file_published_late AFTER UPDATE OF seq, deleted_at ON chat_messages FOR EACH ROW
  WHEN (NEW.file_id IS NOT NULL AND (OLD.seq, OLD.deleted_at) IS DISTINCT FROM (NEW.seq, NEW.deleted_at))
  EXECUTE FUNCTION app.carry_to_file();

-- Only what says something: whether members see it follows the message, and what the worker measured is no secret.
DROP TRIGGER audit ON chat_files;
CREATE TRIGGER audit AFTER INSERT OR DELETE ON chat_files FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('file', 'session_id', 'waveform,original_name,renditions', '', 'created', '');
CREATE TRIGGER audit_changes AFTER UPDATE OF state ON chat_files FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION app.audit_row('file', 'session_id', 'waveform,original_name,renditions', '', 'created',
    'state=ready:accepted,state=rejected:rejected,state=deleted:deleted');

-- Send a message whose file lies in the bucket already. p_kind is 'file' or 'voice', as it was asked for, p_digest the SHA-256
-- of what was uploaded: with text and reply they are what a repetition must have in common. Codes as app.send_chat_messages.
CREATE FUNCTION app.send_file_message(
  p_session uuid, p_id uuid, p_kind text, p_type text, p_content text, p_reply uuid, p_digest text, p_file uuid,
  p_is_held boolean
) RETURNS TABLE (code text, seq bigint, revision bigint, members_revision bigint, created_at timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
  v_request text := concat_ws(E'\x1f', p_kind, p_reply, p_digest, p_content);
  v_salt uuid := gen_random_uuid();
  v_admission app.admission := app.admit_message(p_session, p_id, p_reply, v_request);
BEGIN
  code := v_admission.code;
  IF code = 'ok' THEN
    created_at := clock_timestamp();
    members_revision := v_admission.members_revision;
    IF NOT p_is_held THEN
      seq := v_admission.last_seq + 1;
      revision := v_admission.revision + 1;
    END IF;
    INSERT INTO public.chat_messages (
      id, session_id, sender_id, seq, revision, type, status, content, file_id, reply_to_id, request_hash, salt, created_at,
      published_at)
    VALUES (
      p_id, p_session, app.uid(), seq, revision, p_type, CASE WHEN p_is_held THEN 'pending_approval' ELSE 'sent' END, p_content,
      p_file, p_reply, sha256(convert_to(v_salt || v_request, 'UTF8')), v_salt, created_at,
      CASE WHEN NOT p_is_held THEN created_at END)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN -- the same id arrived in another session at the same moment
      code := 'id_taken'; seq := NULL; revision := NULL; created_at := NULL;
    END IF;
  END IF;
  RETURN NEXT;
END
$$;

-- What app.send_file_message would answer now; nothing is written. Asked before a file is judged.
CREATE FUNCTION app.may_send_file(p_session uuid, p_id uuid, p_kind text, p_content text, p_reply uuid, p_digest text)
RETURNS text LANGUAGE sql AS $$
  SELECT (app.admit_message(p_session, p_id, p_reply, concat_ws(E'\x1f', p_kind, p_reply, p_digest, p_content))).code
$$;

-- Decide about a voice message that waits: 'approve' publishes it as a new message, 'reject' keeps it from all but its sender
-- and staff, and tells him why. One decision, final: the second who decides gets 'already_reviewed'; the same one again, for
-- the same verdict, 'unchanged'.
CREATE FUNCTION app.review_voice(p_message uuid, p_verdict text, p_reason text)
RETURNS TABLE (code text, session_id uuid, members_revision bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
#variable_conflict use_variable
DECLARE
  v_message public.chat_messages;
  v_state public.chat_session_state;
  v_status text;
  v_file text;
  v_before public.chat_voice_reviews;
BEGIN
  SELECT m.session_id INTO session_id FROM public.chat_messages m WHERE m.id = p_message;
  IF NOT FOUND OR app.role() IS NULL THEN
    code := 'not_found'; RETURN NEXT; RETURN;
  ELSIF app.role() NOT IN ('monitor', 'admin', 'super_admin') OR p_verdict NOT IN ('approve', 'reject') THEN
    code := 'forbidden'; RETURN NEXT; RETURN;
  END IF;
  SELECT * INTO v_state FROM public.chat_session_state s WHERE s.session_id = session_id FOR UPDATE;
  members_revision := v_state.members_revision;
  -- Read under the lock: whoever had it may have decided.
  SELECT * INTO v_message FROM public.chat_messages m WHERE m.id = p_message;
  SELECT * INTO v_before FROM public.chat_voice_reviews r WHERE r.message_id = p_message;
  SELECT c.status INTO v_status FROM public.chat_sessions c WHERE c.id = session_id;
  SELECT f.state INTO v_file FROM public.chat_files f WHERE f.id = v_message.file_id;
  code := CASE
    WHEN v_before.reviewer_id = app.uid() AND v_before.verdict = p_verdict THEN 'unchanged'
    WHEN v_before.id IS NOT NULL THEN 'already_reviewed'
    WHEN v_message.status <> 'pending_approval' THEN 'not_pending'
    WHEN v_message.sender_id = app.uid() THEN 'forbidden'
    WHEN v_status = 'archived' OR p_verdict = 'approve' AND v_status = 'ended' THEN 'session_state'
    WHEN p_verdict = 'reject' THEN 'ok'
    WHEN v_file = 'processing' THEN 'file_processing'
    WHEN v_file <> 'ready' THEN 'file_rejected'
    ELSE 'ok' END;
  IF code <> 'ok' THEN
    RETURN NEXT; RETURN;
  END IF;
  INSERT INTO public.chat_voice_reviews (message_id, session_id, reviewer_id, verdict, reason)
  VALUES (p_message, session_id, app.uid(), p_verdict, p_reason);
  IF p_verdict = 'approve' THEN
    UPDATE public.chat_messages m
       SET status = 'approved', seq = v_state.last_seq + 1, revision = v_state.revision + 1, published_at = clock_timestamp()
     WHERE m.id = p_message;
  ELSE
    UPDATE public.chat_messages m SET status = 'rejected', metadata = m.metadata || jsonb_build_object('reason', p_reason)
     WHERE m.id = p_message;
  END IF;
  RETURN NEXT;
END
$$;
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON chat_voice_reviews FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('voice_review', 'session_id', '', '', 'created', '');

-- Remove the rows of a file that no message ever got: of one's own, or by the system. The object is removed before. Returns
-- whether it was so.
CREATE FUNCTION app.discard_file(p_file uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  DELETE FROM public.chat_files f
   WHERE (f.id = p_file OR f.parent_id = p_file) AND (f.owner_id = app.uid() OR app.role() = 'system')
     AND NOT EXISTS (SELECT FROM public.chat_messages m WHERE m.file_id = p_file);
  RETURN FOUND;
END
$$;

-- Record that the actor opened a file: once per person, file and 15 minutes, because a player asks for it in pieces.
CREATE FUNCTION app.record_open(p_file uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_since uuid := uuidv7(interval '-15 minutes');
  v_session uuid;
BEGIN
  IF EXISTS (SELECT FROM public.chat_audit_logs l
              WHERE l.actor = app.uid() AND l.id > v_since AND l.action = 'file.opened' AND l.record_id = p_file) THEN
    RETURN;
  END IF;
  SELECT f.session_id INTO v_session FROM public.chat_files f WHERE f.id = p_file;
  PERFORM app.audit_append('file.opened', 'chat_files', p_file, v_session, NULL, NULL);
END
$$;

GRANT EXECUTE ON FUNCTION
  app.send_file_message(uuid, uuid, text, text, text, uuid, text, uuid, boolean),
  app.may_send_file(uuid, uuid, text, text, uuid, text), app.discard_file(uuid), app.record_open(uuid)
TO samia_app, samia_staff;
GRANT EXECUTE ON FUNCTION app.review_voice(uuid, text, text) TO samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.carry_to_file() OWNER TO samia_definer;
ALTER FUNCTION app.review_voice(uuid, text, text) OWNER TO samia_definer;
ALTER FUNCTION app.discard_file(uuid) OWNER TO samia_definer;
ALTER FUNCTION app.record_open(uuid) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.record_open(uuid);
DROP FUNCTION app.discard_file(uuid);
DROP TRIGGER audit ON chat_voice_reviews;
DROP FUNCTION app.review_voice(uuid, text, text);
DROP FUNCTION app.may_send_file(uuid, uuid, text, text, uuid, text);
DROP FUNCTION app.send_file_message(uuid, uuid, text, text, text, uuid, text, uuid, boolean);
DROP TRIGGER audit_changes ON chat_files;
DROP TRIGGER audit ON chat_files;
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON chat_files FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('file', 'session_id', 'waveform,original_name', '', 'created', 'state=rejected:rejected,state=deleted:deleted');
DROP TRIGGER file_published_late ON chat_messages;
DROP TRIGGER file_published ON chat_messages;
DROP FUNCTION app.carry_to_file();
