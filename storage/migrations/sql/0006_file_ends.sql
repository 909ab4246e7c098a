-- What outlives an object, and what leaves no row behind. Only for the system.

-- A file's object is no more: it was kept as evidence for long enough ('expired'), or it is not there and nobody knows why
-- ('lost'). The row of a file stays, because its message names it; what was made of a file has no other use, and its row goes.
-- Returns whether anything was written.
CREATE FUNCTION app.end_file(p_file uuid, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_file public.chat_files;
BEGIN
  PERFORM app.require_system();
  SELECT * INTO v_file FROM public.chat_files WHERE id = p_file FOR UPDATE;
  IF NOT FOUND OR v_file.reason IN (p_reason, 'expired') THEN
    RETURN false;
  ELSIF v_file.parent_id IS NOT NULL THEN
    DELETE FROM public.chat_files WHERE id = p_file;
    UPDATE public.chat_files SET renditions = array_remove(renditions, v_file.rendition) WHERE id = v_file.parent_id;
    RETURN true;
  ELSIF p_reason = 'lost' THEN
    UPDATE public.chat_files SET reason = 'lost', state = CASE v_file.state WHEN 'deleted' THEN 'deleted' ELSE 'rejected' END
     WHERE id = p_file;
  ELSIF p_reason = 'expired' AND v_file.state = 'deleted' THEN
    DELETE FROM public.chat_files WHERE parent_id = p_file;
    -- Its name and its sound are contents, too.
    UPDATE public.chat_files SET reason = 'expired', original_name = '', waveform = NULL, renditions = '{}' WHERE id = p_file;
  ELSE
    RAISE EXCEPTION 'a file that is % does not end as %', v_file.state, p_reason USING ERRCODE = 'check_violation';
  END IF;
  PERFORM app.audit_append('file.' || p_reason, 'chat_files', p_file, v_file.session_id, NULL, NULL);
  RETURN true;
END
$$;

-- Record that an object is removed of which no row knows. p_file: the id in its key, where the key is one of ours.
CREATE FUNCTION app.record_orphan(p_file uuid, p_key text, p_bytes bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  PERFORM app.require_system();
  PERFORM app.audit_append('file.orphan_removed', 'chat_files', p_file, NULL, NULL,
    jsonb_build_object('key', left(p_key, 200), 'bytes', p_bytes));
END
$$;

GRANT EXECUTE ON FUNCTION app.end_file(uuid, text), app.record_orphan(uuid, text, bigint) TO samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.end_file(uuid, text) OWNER TO samia_definer;
ALTER FUNCTION app.record_orphan(uuid, text, bigint) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.record_orphan(uuid, text, bigint);
DROP FUNCTION app.end_file(uuid, text);
