-- A page of a thread (chat/services/reading.py) in one call: rows as JSON, named as chat/rows.py reads them. As whoever asks,
-- under his policies, and planned once for each connection, like app.sync (docs/decisions/0012-sync-is-one-query.md).
--
-- {"status", "revision", "last": the highest number it looks for, "messages": in the order of seq, one more than p_limit where
-- there are more that way, "unpublished": if p_with_unpublished}. NULL where he does not see the session; `last` is NULL where
-- he sees no published message p_around in it.
--
-- Without bounds it is the newest page; p_before a seq the ones just before it, p_after the ones just after it, p_around a
-- message's id the ones on both sides, and it in their middle.
CREATE FUNCTION app.thread_page(
  p_session uuid, p_before bigint, p_after bigint, p_around uuid, p_limit integer, p_with_unpublished boolean
) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, app SET plan_cache_mode = force_generic_plan AS $$
  WITH head AS MATERIALIZED (
    SELECT s.status, t.revision,
           CASE WHEN p_around IS NULL THEN coalesce(p_before - 1, t.last_seq)
           -- As conditions, these two would offer indexes that begin with the session.
           ELSE (SELECT CASE WHEN a.session_id = p_session AND a.seq IS NOT NULL
                             THEN least(a.seq + p_limit / 2, t.last_seq) END
                   FROM public.chat_messages a WHERE a.id = p_around) END AS last
      FROM public.chat_sessions s JOIN public.chat_session_state t ON t.session_id = s.id
     WHERE s.id = p_session
  ), found AS (
    SELECT 'messages' AS kind, m.* FROM head h CROSS JOIN LATERAL (
      SELECT c.* FROM public.chat_messages c WHERE c.session_id = p_session AND c.seq <= h.last
       ORDER BY c.seq DESC LIMIT p_limit + 1) m
     WHERE p_after IS NULL
    UNION ALL
    SELECT 'messages', m.* FROM head h CROSS JOIN LATERAL (
      SELECT c.* FROM public.chat_messages c WHERE c.session_id = p_session AND c.seq > p_after
       ORDER BY c.seq LIMIT p_limit + 1) m
     WHERE p_after IS NOT NULL
    UNION ALL
    SELECT 'unpublished', c.* FROM public.chat_messages c
     WHERE p_with_unpublished AND c.session_id = p_session AND c.seq IS NULL
  )
  SELECT json_build_object('status', h.status, 'revision', h.revision, 'last', h.last,
    'messages', coalesce(r.messages, '[]'), 'unpublished', coalesce(r.unpublished, '[]'))
    FROM head h, (
      SELECT json_agg(m.row ORDER BY m.seq) FILTER (WHERE m.kind = 'messages') AS messages,
             json_agg(m.row ORDER BY m.created_at, m.id) FILTER (WHERE m.kind = 'unpublished') AS unpublished
        FROM (
          SELECT f.kind, f.seq, f.created_at, f.id, json_build_object(
            'id', f.id, 'session_id', f.session_id, 'sender_id', f.sender_id, 'seq', f.seq, 'revision', f.revision,
            'type', f.type, 'status', f.status, 'content', f.content, 'reply_to_id', f.reply_to_id,
            'created_at', f.created_at, 'edited_at', f.edited_at, 'deleted_at', f.deleted_at,
            'size', octet_length(f.content), 'reason', f.metadata ->> 'reason',
            'played_by', coalesce(f.metadata -> 'played_by', '[]'),
            'file', CASE WHEN f.file_id IS NOT NULL AND f.deleted_at IS NULL THEN (
              SELECT row_to_json(o) FROM (
                SELECT c.id, c.original_name, c.content_type, c.size_bytes, c.duration_ms, c.waveform, c.width, c.height,
                       c.state, c.reason, c.renditions
                  FROM public.chat_files c WHERE c.id = f.file_id) o) END) AS row
            FROM found f) m) r
$$;

GRANT EXECUTE ON FUNCTION app.thread_page(uuid, bigint, bigint, uuid, integer, boolean) TO samia_app, samia_staff;
-- reverse --
DROP FUNCTION app.thread_page(uuid, bigint, bigint, uuid, integer, boolean);
