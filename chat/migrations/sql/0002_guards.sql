-- What must hold whoever writes: derived columns, the life of a message, the record of all of it, and the notices.

-- What members of a session see of one another. The view runs as the definer; its condition is the rule.
CREATE VIEW chat_people WITH (security_barrier) AS
  SELECT u.id, u.display_name, u.role, u.last_seen_at
    FROM accounts_user u
   WHERE u.id = (SELECT app.uid())
      OR (SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system')
      OR u.id = ANY (ARRAY(
           SELECT p.user_id FROM chat_participants p WHERE p.session_id = ANY (ARRAY(SELECT app.my_sessions()))));
GRANT SELECT ON chat_people TO samia_app, samia_staff;

-- Storage. Counters and cursors are written with every message: half-full pages keep those updates in place.
ALTER TABLE chat_session_state SET (fillfactor = 50);
ALTER TABLE chat_participants SET (fillfactor = 70);
-- Presence need not survive a crash: every process writes its own again within 15 s.
ALTER TABLE presence SET UNLOGGED;
ALTER TABLE presence_announced SET UNLOGGED;
-- The file's table lies in a layer below, which knows no sessions.
ALTER TABLE chat_files ADD CONSTRAINT chat_files_session FOREIGN KEY (session_id) REFERENCES chat_sessions (id);

-- What a row must be, one check each: PostgreSQL parses a table's checks from their stored text and plans them anew with every
-- statement, so that eight of them cost a tenth of a send. A function's body is planned once per connection, and the text
-- is short when it is given the whole row.
CREATE FUNCTION app.message_is_sound(m chat_messages) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN m.type IN ('text', 'audio', 'image', 'video', 'file', 'system', 'emergency')
    -- published, or held back until it is approved
    AND CASE WHEN m.seq IS NULL THEN m.revision IS NULL AND m.status IN ('pending_approval', 'rejected', 'deleted')
             ELSE m.revision IS NOT NULL AND m.status IN ('sent', 'approved', 'deleted') END
    AND (m.sender_id IS NOT NULL OR m.type = 'system')
    AND length(m.content) <= 5000
    AND (m.status = 'deleted') = (m.deleted_at IS NOT NULL)
    AND CASE WHEN m.status = 'deleted' THEN m.content = '' ELSE m.content <> '' OR m.type NOT IN ('text', 'system') END
    AND (m.file_id IS NOT NULL) = (m.type IN ('audio', 'image', 'video', 'file'));
END
$$;
CREATE FUNCTION app.membership_is_sound(p chat_participants) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN p.role_in_session IN ('client', 'reader', 'staff')
    AND 0 <= p.read_seq AND p.read_seq <= p.seen_seq AND p.seen_seq <= p.delivered_seq AND p.own_ahead >= 0;
END
$$;
-- A check runs as whoever writes.
GRANT EXECUTE ON FUNCTION app.message_is_sound(chat_messages), app.membership_is_sound(chat_participants)
TO samia_app, samia_staff, samia_definer;
ALTER TABLE chat_messages ADD CONSTRAINT message_is_sound CHECK (app.message_is_sound(chat_messages));
ALTER TABLE chat_participants ADD CONSTRAINT membership_is_sound CHECK (app.membership_is_sound(chat_participants));

-- A change of members: the array, the revision, the notice. Whoever changes members holds the state row's lock already.
CREATE FUNCTION app.carry_session_status() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  SELECT c.status INTO NEW.session_status FROM public.chat_sessions c WHERE c.id = NEW.session_id;
  RETURN NEW;
END
$$;
CREATE TRIGGER carry_session_status BEFORE INSERT ON chat_participants
  FOR EACH ROW EXECUTE FUNCTION app.carry_session_status();

CREATE FUNCTION app.members_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_session uuid := coalesce(NEW.session_id, OLD.session_id);
BEGIN
  UPDATE public.chat_session_state s SET revision = s.revision + 1, members_revision = s.revision + 1
   WHERE s.session_id = v_session;
  UPDATE public.chat_sessions c
     SET participants = ARRAY(SELECT p.user_id FROM public.chat_participants p
                               WHERE p.session_id = v_session AND p.left_at IS NULL ORDER BY p.user_id)
   WHERE c.id = v_session;
  PERFORM pg_notify('samia_access', json_build_object('kind', 'members', 'id', v_session)::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER members_changed AFTER INSERT OR DELETE ON chat_participants
  FOR EACH ROW EXECUTE FUNCTION app.members_changed();
CREATE TRIGGER members_changed_again AFTER UPDATE OF left_at, role_in_session ON chat_participants FOR EACH ROW
  WHEN ((OLD.left_at, OLD.role_in_session) IS DISTINCT FROM (NEW.left_at, NEW.role_in_session))
  EXECUTE FUNCTION app.members_changed();

-- A session that goes on has somebody in it. Deferred, because session and members are written one after the other.
CREATE FUNCTION app.session_has_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_session uuid := CASE TG_TABLE_NAME WHEN 'chat_sessions' THEN to_jsonb(NEW) ->> 'id'
                                       ELSE coalesce(to_jsonb(NEW), to_jsonb(OLD)) ->> 'session_id' END;
BEGIN
  IF EXISTS (SELECT FROM public.chat_sessions WHERE id = v_session AND status NOT IN ('ended', 'archived'))
     AND NOT EXISTS (SELECT FROM public.chat_participants WHERE session_id = v_session AND left_at IS NULL) THEN
    RAISE EXCEPTION 'session % has no member', v_session USING ERRCODE = 'check_violation', CONSTRAINT = 'session_has_members';
  END IF;
  RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER session_has_members AFTER INSERT OR UPDATE OF status ON chat_sessions
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.session_has_members();
CREATE CONSTRAINT TRIGGER session_has_members AFTER UPDATE OF left_at OR DELETE ON chat_participants
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.session_has_members();

-- A change of state: memberships carry it, open sockets hear of it.
CREATE FUNCTION app.session_status_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  UPDATE public.chat_participants SET session_status = NEW.status WHERE session_id = NEW.id;
  PERFORM pg_notify('samia_access', json_build_object('kind', 'members', 'id', NEW.id)::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER status_changed AFTER UPDATE OF status ON chat_sessions FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION app.session_status_changed();

-- The life of a message. Deleting empties it; a deleted one stays so; what identifies it never changes; a change that
-- members see moves the revision on.
CREATE FUNCTION app.guard_message() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
BEGIN
  IF (NEW.id, NEW.session_id, NEW.sender_id, NEW.type, NEW.request_hash, NEW.salt, NEW.created_at)
     IS DISTINCT FROM (OLD.id, OLD.session_id, OLD.sender_id, OLD.type, OLD.request_hash, OLD.salt, OLD.created_at)
     OR (OLD.seq IS NOT NULL AND NEW.seq IS DISTINCT FROM OLD.seq) THEN
    RAISE EXCEPTION 'what identifies a message never changes' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.deleted_at IS NOT NULL AND (NEW.deleted_at IS NULL OR NEW.content <> '') THEN
    RAISE EXCEPTION 'a deleted message stays deleted' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.deleted_at IS NOT NULL THEN
    NEW.status := 'deleted';
    NEW.content := '';
  END IF;
  IF OLD.seq IS NOT NULL AND (NEW.content, NEW.status) IS DISTINCT FROM (OLD.content, OLD.status)
     AND NEW.revision <= OLD.revision THEN
    RAISE EXCEPTION 'a change moves the revision on' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard BEFORE UPDATE ON chat_messages FOR EACH ROW EXECUTE FUNCTION app.guard_message();

CREATE FUNCTION app.guard_reply() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.chat_messages WHERE id = NEW.reply_to_id AND session_id = NEW.session_id) THEN
    RAISE EXCEPTION 'a reply stays in its session' USING ERRCODE = 'check_violation', CONSTRAINT = 'reply_in_session';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard_reply BEFORE INSERT OR UPDATE OF reply_to_id ON chat_messages FOR EACH ROW
  WHEN (NEW.reply_to_id IS NOT NULL) EXECUTE FUNCTION app.guard_reply();

CREATE FUNCTION app.guard_message_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.chat_files
                  WHERE id = NEW.file_id AND session_id = NEW.session_id AND owner_id = NEW.sender_id) THEN
    RAISE EXCEPTION 'a file goes into its own session, from its owner' USING ERRCODE = 'check_violation', CONSTRAINT = 'file_in_session';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard_file BEFORE INSERT OR UPDATE OF file_id ON chat_messages FOR EACH ROW
  WHEN (NEW.file_id IS NOT NULL) EXECUTE FUNCTION app.guard_message_file();

CREATE FUNCTION app.keep_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  INSERT INTO public.chat_message_versions (message_id, session_id, content, replaced_by)
  VALUES (OLD.id, OLD.session_id, OLD.content, app.uid());
  RETURN NULL;
END
$$;
CREATE TRIGGER keep_version AFTER UPDATE OF content, deleted_at ON chat_messages FOR EACH ROW
  WHEN (OLD.content <> NEW.content) EXECUTE FUNCTION app.keep_version();

-- The record. Cursors and counters are not on it.
CREATE TRIGGER audit AFTER INSERT OR DELETE ON chat_sessions FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('session', 'id', 'participants,active_at,updated_at', '', 'created', '');
CREATE TRIGGER audit_changes AFTER UPDATE OF status, title, metadata, booking_id ON chat_sessions FOR EACH ROW
  WHEN ((OLD.status, OLD.title, OLD.metadata, OLD.booking_id)
        IS DISTINCT FROM (NEW.status, NEW.title, NEW.metadata, NEW.booking_id))
  EXECUTE FUNCTION app.audit_row('session', 'id', 'participants,active_at,updated_at', '', 'created',
    'status=paused:paused,status=locked:locked,status=ended:ended,status=archived:archived,'
    'status=locked>active:unlocked,status=active:resumed');
CREATE TRIGGER audit AFTER INSERT OR DELETE ON chat_participants FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('participant', 'session_id',
    'delivered_seq,seen_seq,read_seq,own_ahead,muted_until,session_status', '', 'added', '');
CREATE TRIGGER audit_changes AFTER UPDATE OF role_in_session, left_at ON chat_participants FOR EACH ROW
  WHEN ((OLD.role_in_session, OLD.left_at) IS DISTINCT FROM (NEW.role_in_session, NEW.left_at))
  EXECUTE FUNCTION app.audit_row('participant', 'session_id',
    'delivered_seq,seen_seq,read_seq,own_ahead,muted_until,session_status', '', 'added', 'left_at=:added,left_at:removed');
CREATE TRIGGER audit AFTER INSERT OR DELETE ON chat_messages FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('message', 'session_id', 'salt,request_hash', 'content', 'created', '');
CREATE TRIGGER audit_changes AFTER UPDATE ON chat_messages FOR EACH ROW
  WHEN ((OLD.content, OLD.status, OLD.seq, OLD.deleted_at) IS DISTINCT FROM (NEW.content, NEW.status, NEW.seq, NEW.deleted_at))
  EXECUTE FUNCTION app.audit_row('message', 'session_id', 'salt,request_hash', 'content', 'created',
    'deleted_at:deleted,status=approved:approved,status=rejected:rejected,content:edited');
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON bookings FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('booking', '', 'updated_at', '', 'created', '');
CREATE TRIGGER audit AFTER INSERT OR DELETE OR UPDATE ON chat_files FOR EACH ROW
  EXECUTE FUNCTION app.audit_row('file', 'session_id', 'waveform,original_name', '', 'created', 'state=rejected:rejected,state=deleted:deleted');

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER VIEW chat_people OWNER TO samia_definer;
ALTER FUNCTION app.carry_session_status() OWNER TO samia_definer;
ALTER FUNCTION app.members_changed() OWNER TO samia_definer;
ALTER FUNCTION app.session_has_members() OWNER TO samia_definer;
ALTER FUNCTION app.session_status_changed() OWNER TO samia_definer;
ALTER FUNCTION app.guard_reply() OWNER TO samia_definer;
ALTER FUNCTION app.guard_message_file() OWNER TO samia_definer;
ALTER FUNCTION app.keep_version() OWNER TO samia_definer;
-- reverse --
DROP TRIGGER audit ON chat_files;
DROP TRIGGER audit ON bookings;
DROP TRIGGER audit_changes ON chat_messages;
DROP TRIGGER audit ON chat_messages;
DROP TRIGGER audit_changes ON chat_participants;
DROP TRIGGER audit ON chat_participants;
DROP TRIGGER audit_changes ON chat_sessions;
DROP TRIGGER audit ON chat_sessions;
DROP TRIGGER keep_version ON chat_messages;
DROP FUNCTION app.keep_version();
DROP TRIGGER guard_file ON chat_messages;
DROP FUNCTION app.guard_message_file();
DROP TRIGGER guard_reply ON chat_messages;
DROP FUNCTION app.guard_reply();
DROP TRIGGER guard ON chat_messages;
DROP FUNCTION app.guard_message();
DROP TRIGGER status_changed ON chat_sessions;
DROP FUNCTION app.session_status_changed();
DROP TRIGGER session_has_members ON chat_participants;
DROP TRIGGER session_has_members ON chat_sessions;
DROP FUNCTION app.session_has_members();
DROP TRIGGER members_changed_again ON chat_participants;
DROP TRIGGER members_changed ON chat_participants;
DROP FUNCTION app.members_changed();
DROP TRIGGER carry_session_status ON chat_participants;
DROP FUNCTION app.carry_session_status();
ALTER TABLE chat_participants DROP CONSTRAINT membership_is_sound;
ALTER TABLE chat_messages DROP CONSTRAINT message_is_sound;
DROP FUNCTION app.membership_is_sound(chat_participants);
DROP FUNCTION app.message_is_sound(chat_messages);
ALTER TABLE chat_files DROP CONSTRAINT chat_files_session;
DROP VIEW chat_people;
