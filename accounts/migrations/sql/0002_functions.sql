-- The two questions that every policy asks, and the doors that stand open before anybody is signed in.

-- The actor's role as his row says, never as a setting says. NULL for nobody and for a closed account; 'system' for a
-- transaction of a command or job, which enters samia_staff without a person.
CREATE FUNCTION app.role() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT CASE
    WHEN app.uid() IS NOT NULL THEN (SELECT role FROM public.accounts_user WHERE id = app.uid() AND is_active)
    WHEN current_setting('role') = 'samia_staff' THEN 'system'
  END
$$;

-- First statement of what only a command or job may ask for. Staff enter the same database role, so a grant cannot tell.
CREATE FUNCTION app.require_system() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF app.role() IS DISTINCT FROM 'system' THEN
    RAISE EXCEPTION 'only the system' USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;

-- The sessions the actor is a member of, of all or of these states: the only definition of membership. The table is the
-- chat app's, a later migration; a plpgsql body is looked up when it runs. A function that works on one session names it
-- in app.session, because a reader has hundreds: naming one can only take rights away.
CREATE FUNCTION app.my_sessions(p_states text[] DEFAULT NULL) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_only uuid := nullif(current_setting('app.session', true), '')::uuid;
BEGIN
  IF v_only IS NULL THEN
    RETURN QUERY SELECT session_id FROM public.chat_participants
      WHERE user_id = app.uid() AND left_at IS NULL AND (p_states IS NULL OR session_status = ANY (p_states));
  ELSE
    RETURN QUERY SELECT session_id FROM public.chat_participants
      WHERE session_id = v_only AND user_id = app.uid() AND left_at IS NULL
        AND (p_states IS NULL OR session_status = ANY (p_states));
  END IF;
END
$$;

-- The person behind a live login, or no row: the one door of cookie, bearer and ticket.
CREATE FUNCTION app.login_user(p_login uuid) RETURNS SETOF accounts_user
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  UPDATE public.accounts_login SET last_used_at = now()
   WHERE id = p_login AND ended_at IS NULL AND last_used_at < now() - interval '5 minutes'
     AND last_used_at > now() - interval '30 days';
  RETURN QUERY
    SELECT u.* FROM public.accounts_login l JOIN public.accounts_user u ON u.id = l.user_id
     WHERE l.id = p_login AND l.ended_at IS NULL AND l.last_used_at > now() - interval '30 days' AND u.is_active;
END
$$;

-- Which of these logins are live, whose they are and under which role: what a process asks after it missed notices.
CREATE FUNCTION app.live_logins(p_logins uuid[]) RETURNS TABLE (login_id uuid, user_id uuid, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  SELECT l.id, u.id, u.role FROM public.accounts_login l JOIN public.accounts_user u ON u.id = l.user_id
   WHERE l.id = ANY (p_logins) AND l.ended_at IS NULL AND u.is_active
$$;

-- Begin a sign-in: the person's id and password hash if there is such an account, and how many seconds to wait. Without a
-- wait the attempt is counted as a wrong one in advance, and app.forget_failures takes that back: the row's lock makes
-- guesses of the same moment see one another, where a count after the check would let all of them pass.
--
-- After three wrong passwords each further one doubles the wait, to at most 30 s. A device that has signed in before
-- (from p_network, or by p_known, the person named in its device cookie) does not wait: strangers who guess never lock
-- the owner out.
CREATE FUNCTION app.begin_sign_in(p_email text, p_account bytea, p_network inet, p_known uuid)
RETURNS TABLE (user_id uuid, password text, wait_seconds double precision)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_count integer;
  v_last timestamptz;
  v_is_known boolean;
BEGIN
  SELECT u.id, u.password::text INTO user_id, password
    FROM public.accounts_user u WHERE u.email = p_email AND u.is_active;
  v_is_known := user_id IS NOT NULL AND (coalesce(p_known = user_id, false) OR EXISTS (
    SELECT FROM public.accounts_login l
     WHERE l.user_id = begin_sign_in.user_id AND l.address <<= p_network AND l.created_at > now() - interval '30 days'));
  INSERT INTO public.accounts_sign_in_failures AS f (account, count, last_at) VALUES (p_account, 0, clock_timestamp())
      ON CONFLICT (account) DO UPDATE SET
         -- an hour without failures begins anew
         count = CASE WHEN f.last_at < clock_timestamp() - interval '1 hour' THEN 0 ELSE f.count END
  RETURNING f.count, f.last_at INTO v_count, v_last;
  wait_seconds := CASE WHEN v_is_known OR v_count < 3 THEN 0
    ELSE greatest(0, extract(epoch FROM v_last - clock_timestamp()) + least(30, 2 ^ (least(v_count, 10) - 3))) END;
  IF wait_seconds = 0 THEN
    UPDATE public.accounts_sign_in_failures SET count = v_count + 1, last_at = clock_timestamp() WHERE account = p_account;
  END IF;
  RETURN NEXT;
END
$$;

-- After a right password the wrong ones before it are forgotten.
CREATE FUNCTION app.forget_failures(p_account bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  DELETE FROM public.accounts_sign_in_failures WHERE account = p_account
$$;

-- The first refresh token of a login of the actor's.
CREATE FUNCTION app.add_refresh_token(p_login uuid, p_digest bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  INSERT INTO public.accounts_refresh_token (digest, login_id)
  SELECT p_digest, id FROM public.accounts_login WHERE id = p_login AND user_id = app.uid() AND kind = 'token'
$$;

-- Exchange a refresh token for the next one: the login's id, or no row. A token used twice was copied by somebody, and
-- nobody can tell by whom: the login ends.
CREATE FUNCTION app.rotate_refresh_token(p_digest bytea, p_next bytea) RETURNS TABLE (login_id uuid, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_token public.accounts_refresh_token;
  v_login public.accounts_login;
BEGIN
  SELECT * INTO v_token FROM public.accounts_refresh_token WHERE digest = p_digest FOR UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO v_login FROM public.accounts_login WHERE id = v_token.login_id FOR UPDATE;
  login_id := v_login.id;
  IF v_token.used_at IS NOT NULL THEN
    UPDATE public.accounts_login SET ended_at = clock_timestamp() WHERE id = v_login.id AND ended_at IS NULL;
    outcome := 'reused';
  ELSIF v_login.ended_at IS NOT NULL OR v_token.created_at < now() - interval '30 days'
     OR NOT EXISTS (SELECT FROM public.accounts_user WHERE id = v_login.user_id AND is_active) THEN
    outcome := 'ended';
  ELSE
    UPDATE public.accounts_refresh_token SET used_at = clock_timestamp() WHERE digest = p_digest;
    UPDATE public.accounts_login SET last_used_at = clock_timestamp() WHERE id = v_login.id;
    INSERT INTO public.accounts_refresh_token (digest, login_id) VALUES (p_next, v_login.id);
    outcome := 'rotated';
  END IF;
  RETURN NEXT;
END
$$;

CREATE FUNCTION app.add_ticket(p_login uuid, p_digest bytea, p_seconds integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  INSERT INTO public.accounts_ticket (digest, login_id, expires_at)
  SELECT p_digest, id, clock_timestamp() + make_interval(secs => p_seconds)
    FROM public.accounts_login WHERE id = p_login AND user_id = app.uid()
$$;

-- Use a ticket up: the login it stands for, or NULL.
CREATE FUNCTION app.use_ticket(p_digest bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_ticket public.accounts_ticket;
BEGIN
  DELETE FROM public.accounts_ticket WHERE digest = p_digest RETURNING * INTO v_ticket;
  RETURN CASE WHEN v_ticket.expires_at > clock_timestamp() THEN v_ticket.login_id END;
END
$$;

-- End every login of a person but one: after a new password, or when his account is closed.
CREATE FUNCTION app.end_logins(p_user uuid, p_except uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_count integer;
BEGIN
  IF p_user IS DISTINCT FROM app.uid() AND coalesce(app.role(), '') NOT IN ('admin', 'super_admin', 'system') THEN
    RAISE EXCEPTION 'only his own' USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE public.accounts_login SET ended_at = clock_timestamp()
   WHERE user_id = p_user AND ended_at IS NULL AND id IS DISTINCT FROM p_except;
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END
$$;

-- What has expired. Returns the number of rows removed.
CREATE FUNCTION app.sweep_sign_ins() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
  SELECT app.require_system();
  WITH tickets AS (DELETE FROM public.accounts_ticket WHERE expires_at < now() RETURNING 1),
  failures AS (DELETE FROM public.accounts_sign_in_failures WHERE last_at < now() - interval '1 day' RETURNING 1),
  tokens AS (DELETE FROM public.accounts_refresh_token WHERE created_at < now() - interval '31 days' RETURNING 1)
  SELECT (SELECT count(*) FROM tickets) + (SELECT count(*) FROM failures) + (SELECT count(*) FROM tokens)
$$;

GRANT EXECUTE ON FUNCTION
  app.role(), app.my_sessions(text[]), app.login_user(uuid),
  app.begin_sign_in(text, bytea, inet, uuid), app.forget_failures(bytea), app.add_refresh_token(uuid, bytea),
  app.rotate_refresh_token(bytea, bytea), app.add_ticket(uuid, bytea, integer), app.use_ticket(bytea), app.end_logins(uuid, uuid)
TO samia_app, samia_staff;
-- Staff's role is the system's, too; which of them asks, the functions look at themselves.
GRANT EXECUTE ON FUNCTION app.live_logins(uuid[]), app.sweep_sign_ins() TO samia_staff;

-- Access notices: what open sockets must hear of, whoever changed it. Never on the send path, because NOTIFY makes
-- commits wait for one another. One JSON object: {"kind": …, "id": …}.
CREATE FUNCTION app.notify_access() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
BEGIN
  PERFORM pg_notify('samia_access', json_build_object('kind', TG_ARGV[0], 'id', to_jsonb(NEW) ->> TG_ARGV[1])::text);
  RETURN NULL;
END
$$;
CREATE TRIGGER access_notice_closed AFTER UPDATE OF is_active ON accounts_user FOR EACH ROW
  WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION app.notify_access('closed', 'id');
CREATE TRIGGER access_notice_role AFTER UPDATE OF role ON accounts_user FOR EACH ROW
  WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION app.notify_access('role', 'id');
CREATE TRIGGER access_notice AFTER UPDATE OF ended_at ON accounts_login FOR EACH ROW
  WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
  EXECUTE FUNCTION app.notify_access('login', 'id');

-- What grants cannot say: they know the database role, and staff share one. The owner and the definer pass.
CREATE FUNCTION app.guard_user() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
BEGIN
  IF current_user NOT IN ('samia_app', 'samia_staff') THEN
    RETURN NEW;
  END IF;
  IF app.role() IN ('super_admin', 'system') THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.role NOT IN ('client', 'reader') THEN
      RAISE EXCEPTION 'only a super administrator gives this role' USING ERRCODE = 'insufficient_privilege';
    END IF;
  ELSIF NEW.role IS DISTINCT FROM OLD.role
     OR (OLD.role = 'super_admin' AND OLD.id IS DISTINCT FROM app.uid())
     OR (NEW.password IS DISTINCT FROM OLD.password AND OLD.id IS DISTINCT FROM app.uid()) THEN
    RAISE EXCEPTION 'not this change to this person' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON accounts_user FOR EACH ROW EXECUTE FUNCTION app.guard_user();

-- Roles and state are on record; names and addresses are not, so that a person can be erased.
CREATE TRIGGER audit AFTER INSERT OR DELETE ON accounts_user FOR EACH ROW
  EXECUTE FUNCTION app.audit_row(
    'user', '', 'password,last_seen_at,email,display_name,language,timezone', '', 'created', '');
CREATE TRIGGER audit_changes AFTER UPDATE OF role, is_active, password ON accounts_user FOR EACH ROW
  WHEN ((OLD.role, OLD.is_active, OLD.password) IS DISTINCT FROM (NEW.role, NEW.is_active, NEW.password))
  EXECUTE FUNCTION app.audit_row(
    'user', '', 'password,last_seen_at,email,display_name,language,timezone', '', 'created',
    'role:role_changed,is_active=false:deactivated,is_active=true:activated,password:password_changed');

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.role() OWNER TO samia_definer;
ALTER FUNCTION app.require_system() OWNER TO samia_definer;
ALTER FUNCTION app.my_sessions(text[]) OWNER TO samia_definer;
ALTER FUNCTION app.login_user(uuid) OWNER TO samia_definer;
ALTER FUNCTION app.live_logins(uuid[]) OWNER TO samia_definer;
ALTER FUNCTION app.begin_sign_in(text, bytea, inet, uuid) OWNER TO samia_definer;
ALTER FUNCTION app.forget_failures(bytea) OWNER TO samia_definer;
ALTER FUNCTION app.add_refresh_token(uuid, bytea) OWNER TO samia_definer;
ALTER FUNCTION app.rotate_refresh_token(bytea, bytea) OWNER TO samia_definer;
ALTER FUNCTION app.add_ticket(uuid, bytea, integer) OWNER TO samia_definer;
ALTER FUNCTION app.use_ticket(bytea) OWNER TO samia_definer;
ALTER FUNCTION app.end_logins(uuid, uuid) OWNER TO samia_definer;
ALTER FUNCTION app.sweep_sign_ins() OWNER TO samia_definer;
-- reverse --
DROP TRIGGER audit_changes ON accounts_user;
DROP TRIGGER audit ON accounts_user;
DROP TRIGGER guard ON accounts_user;
DROP FUNCTION app.guard_user();
DROP TRIGGER access_notice ON accounts_login;
DROP TRIGGER access_notice_role ON accounts_user;
DROP TRIGGER access_notice_closed ON accounts_user;
DROP FUNCTION app.notify_access();
DROP FUNCTION app.sweep_sign_ins();
DROP FUNCTION app.end_logins(uuid, uuid);
DROP FUNCTION app.use_ticket(bytea);
DROP FUNCTION app.add_ticket(uuid, bytea, integer);
DROP FUNCTION app.rotate_refresh_token(bytea, bytea);
DROP FUNCTION app.add_refresh_token(uuid, bytea);
DROP FUNCTION app.forget_failures(bytea);
DROP FUNCTION app.begin_sign_in(text, bytea, inet, uuid);
DROP FUNCTION app.live_logins(uuid[]);
DROP FUNCTION app.login_user(uuid);
DROP FUNCTION app.my_sessions(text[]);
DROP FUNCTION app.require_system();
DROP FUNCTION app.role();
