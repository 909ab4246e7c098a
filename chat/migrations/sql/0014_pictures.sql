-- Who sees a person's name sees his picture. As the definer, who owns the view.
SET ROLE samia_definer;
CREATE OR REPLACE VIEW chat_people WITH (security_barrier) AS
  SELECT u.id, u.display_name, u.role, u.last_seen_at, u.avatar
    FROM accounts_user u
   WHERE u.id = (SELECT app.uid())
      OR (SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system')
      OR u.id = ANY (ARRAY(SELECT app.my_people()));
RESET ROLE;

-- Sync (0007_sync.sql says how it is made): people have a picture.
-- Of sessions that are due, in the order of an answer: p_since are the revisions from which messages have changed, NULL where
-- the thread begins with its newest page.
--
-- {"participants", "people", "messages": {kind: rows}}. `waiting` are the messages in the order in which an answer takes them,
-- of each session one more than its share. Texts are looked at once it is known that they fit: what comes after p_max_messages
-- or p_max_text bytes is `further`, without its text (octet_length reads only the length of a long one). `last` and
-- `unpublished` are whole.
CREATE OR REPLACE FUNCTION app.sync_entries(
  p_sessions uuid[], p_since bigint[], p_last_seq bigint[], p_max_messages integer, p_max_text integer, p_page integer
) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, app SET plan_cache_mode = force_generic_plan AS $$
  WITH due AS MATERIALIZED (
    SELECT * FROM unnest(p_sessions, p_since, p_last_seq) WITH ORDINALITY d (session, since, last_seq, place)
  ), participants AS MATERIALIZED (
    SELECT p.id, p.session_id, p.user_id, p.role_in_session, p.joined_at, p.left_at,
           p.delivered_seq, p.seen_seq, p.read_seq, p.own_ahead, p.muted_until
      FROM public.chat_participants p WHERE p.session_id = ANY (p_sessions)
  ), found AS (
    SELECT 'waiting' AS kind, d.place, m.revision AS at, m.* FROM due d CROSS JOIN LATERAL (
      SELECT c.* FROM public.chat_messages c WHERE c.session_id = d.session AND c.revision > d.since
       ORDER BY c.revision LIMIT greatest(p_page, p_max_messages / cardinality(p_sessions)) + 1) m
     WHERE d.since IS NOT NULL
    UNION ALL
    SELECT 'waiting', d.place, m.seq, m.* FROM due d CROSS JOIN LATERAL (
      SELECT c.* FROM public.chat_messages c WHERE c.session_id = d.session AND c.seq IS NOT NULL
       ORDER BY c.seq DESC LIMIT p_page) m
     WHERE d.since IS NULL
    UNION ALL
    SELECT 'last', d.place, m.seq, m.* FROM due d CROSS JOIN LATERAL (
      SELECT c.* FROM public.chat_messages c WHERE c.session_id = d.session AND c.seq <= d.last_seq
       ORDER BY c.seq DESC LIMIT 1) m
    UNION ALL
    SELECT 'unpublished', NULL, NULL, c.* FROM public.chat_messages c WHERE c.session_id = ANY (p_sessions) AND c.seq IS NULL
  ), numbered AS (
    SELECT row_number() OVER up_to_here AS number, sum(octet_length(f.content)) OVER up_to_here AS text, f.* FROM found f
    WINDOW up_to_here AS (PARTITION BY f.kind ORDER BY f.place, f.at, f.created_at, f.id ROWS UNBOUNDED PRECEDING)
  ), messages AS (
    SELECT CASE WHEN n.kind = 'waiting' AND (n.number > p_max_messages OR n.text > p_max_text) THEN 'further' ELSE n.kind END
           AS kind, n.number, n.id, n.session_id, n.sender_id, n.seq, n.revision, n.type, n.status, n.content, n.reply_to_id,
           n.metadata, n.file_id, n.created_at, n.edited_at, n.deleted_at
      FROM numbered n
  )
  SELECT json_build_object(
    'participants', (SELECT coalesce(json_agg(p ORDER BY p.joined_at, p.id), '[]') FROM participants p),
    'people', (SELECT coalesce(json_agg(u), '[]') FROM (
      SELECT u.id, u.display_name, u.role, u.avatar FROM public.chat_people u
       WHERE u.id = ANY (ARRAY(SELECT p.user_id FROM participants p))) u),
    'messages', (SELECT coalesce(json_object_agg(k.kind, k.rows), '{}') FROM (
      SELECT m.kind, json_agg(CASE WHEN m.kind = 'further'
        THEN json_build_object('id', m.id, 'session_id', m.session_id, 'revision', m.revision, 'size', octet_length(m.content))
        ELSE json_build_object('id', m.id, 'session_id', m.session_id, 'sender_id', m.sender_id, 'seq', m.seq,
          'revision', m.revision, 'type', m.type, 'status', m.status, 'content', m.content, 'reply_to_id', m.reply_to_id,
          'created_at', m.created_at, 'edited_at', m.edited_at, 'deleted_at', m.deleted_at, 'size', octet_length(m.content),
          'reason', m.metadata ->> 'reason', 'played_by', coalesce(m.metadata -> 'played_by', '[]'),
          'file', CASE WHEN m.file_id IS NOT NULL AND m.deleted_at IS NULL THEN (
            SELECT row_to_json(f) FROM (
              SELECT c.id, c.original_name, c.content_type, c.size_bytes, c.duration_ms, c.waveform, c.width, c.height, c.state,
                     c.reason, c.renditions
                FROM public.chat_files c WHERE c.id = m.file_id) f) END)
        END ORDER BY m.number) AS rows
        FROM messages m GROUP BY m.kind) k))
$$;
-- reverse --
SET ROLE samia_definer;
DROP VIEW chat_people;
CREATE VIEW chat_people WITH (security_barrier) AS
  SELECT u.id, u.display_name, u.role, u.last_seen_at
    FROM accounts_user u
   WHERE u.id = (SELECT app.uid())
      OR (SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system')
      OR u.id = ANY (ARRAY(
           SELECT p.user_id FROM chat_participants p WHERE p.session_id = ANY (ARRAY(SELECT app.my_sessions()))));
GRANT SELECT ON chat_people TO samia_app, samia_staff;
RESET ROLE;
