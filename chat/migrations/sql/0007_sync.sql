-- What brings a client level (chat/services/sync.py), in one call: rows as JSON, named as chat/rows.py reads them.
--
-- Both run as whoever asks, under his policies: they can answer nothing that a SELECT of his would not. They are functions so
-- that each connection plans them once. Ten statements cost more in planning than in rows, and one planned anew at each call
-- would cost more than the ten. The plan is made for any caller, so each table is read in a form that keeps its index whatever
-- PostgreSQL believes about sizes: by an array of ids, which meets the array of the policy in one index scan, and messages by
-- a LATERAL lookup in the order wanted. A join by id would ask the policy's array again for every row: ten times the time for
-- a reader with 200 sessions. tests/chat/test_lists.py holds the plans to it.

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
      SELECT u.id, u.display_name, u.role FROM public.chat_people u
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

-- Of the actor's sessions and those named in p_held ({id: revision}; staff look into sessions that are not theirs) with an id
-- after p_after and up to p_up_to, where these are given:
--
-- {"due": how many are new to the client or differ from what it holds, "sessions": the first of them, the latest activity
-- first, with their `since`, "entries": as above, "level": [{"id", "last_seq"}] of the others, "cursors": their members,
-- "gone": ids named that the actor does not see}
CREATE OR REPLACE FUNCTION app.sync(
  p_held jsonb, p_after uuid, p_up_to uuid, p_max_sessions integer, p_max_messages integer, p_max_text integer, p_page integer
) RETURNS json LANGUAGE sql STABLE
SET search_path = pg_catalog, app SET plan_cache_mode = force_generic_plan AS $$
  WITH heads AS MATERIALIZED (
    SELECT s.id, s.type, s.status, s.title, s.booking_id, s.active_at, s.created_at, s.updated_at, s.ended_at,
           t.last_seq, t.revision, t.last_message_at, (p_held ->> s.id::text)::bigint AS held
      FROM public.chat_sessions s JOIN public.chat_session_state t ON t.session_id = s.id
     WHERE s.id = ANY (ARRAY(SELECT app.my_sessions() UNION ALL SELECT n.id::uuid FROM jsonb_object_keys(p_held) n (id)))
       AND (p_after IS NULL OR s.id > p_after) AND (p_up_to IS NULL OR s.id <= p_up_to)
  ), due AS MATERIALIZED (
    SELECT h.*, CASE WHEN h.held <= h.revision THEN h.held END AS since
      FROM heads h WHERE h.held IS DISTINCT FROM h.revision
     ORDER BY h.active_at DESC, h.id DESC LIMIT p_max_sessions
  ), level AS MATERIALIZED (
    SELECT h.id, h.last_seq FROM heads h WHERE h.held = h.revision
  )
  SELECT json_build_object(
    'due', (SELECT count(*) FROM heads h WHERE h.held IS DISTINCT FROM h.revision),
    'sessions', (SELECT coalesce(json_agg(json_build_object(
      'id', d.id, 'type', d.type, 'status', d.status, 'title', d.title, 'created_at', d.created_at,
      'updated_at', d.updated_at, 'ended_at', d.ended_at, 'since', d.since,
      'state', json_build_object('last_seq', d.last_seq, 'revision', d.revision, 'last_message_at', d.last_message_at),
      'booking', (SELECT json_build_object('id', b.id, 'client_id', b.client_id, 'reader_id', b.reader_id,
          'service', b.service, 'scheduled_at', b.scheduled_at, 'status', b.status, 'is_emergency', b.is_emergency)
        FROM public.bookings b WHERE b.id = d.booking_id))), '[]') FROM due d),
    'entries', (SELECT CASE WHEN count(*) > 0 THEN app.sync_entries(
      array_agg(d.id), array_agg(d.since), array_agg(d.last_seq), p_max_messages, p_max_text, p_page) END FROM due d),
    'level', (SELECT coalesce(json_agg(l), '[]') FROM level l),
    -- Former members are left out here: as a condition on the table that would offer an index that begins with the person.
    'cursors', (SELECT coalesce(json_agg(json_build_object('session_id', p.session_id, 'user_id', p.user_id,
        'delivered_seq', p.delivered_seq, 'seen_seq', p.seen_seq, 'read_seq', p.read_seq, 'own_ahead', p.own_ahead))
        FILTER (WHERE p.left_at IS NULL), '[]')
      FROM public.chat_participants p WHERE p.session_id = ANY (ARRAY(SELECT l.id FROM level l))),
    'gone', (SELECT coalesce(json_agg(n.id), '[]') FROM jsonb_object_keys(p_held) n (id)
              WHERE n.id::uuid NOT IN (SELECT h.id FROM heads h)))
$$;

GRANT EXECUTE ON FUNCTION
  app.sync_entries(uuid[], bigint[], bigint[], integer, integer, integer),
  app.sync(jsonb, uuid, uuid, integer, integer, integer, integer)
TO samia_app, samia_staff;
-- reverse --
DROP FUNCTION app.sync(jsonb, uuid, uuid, integer, integer, integer, integer);
DROP FUNCTION app.sync_entries(uuid[], bigint[], bigint[], integer, integer, integer);
