-- Pictures of people: a file of the purpose `avatar`, named by its owner's row.

-- A file that somebody's row names cannot be removed.
ALTER TABLE accounts_user ADD CONSTRAINT accounts_user_avatar FOREIGN KEY (avatar) REFERENCES chat_files (id);

-- A picture is the person's own. Others may open it from the moment at which his row names it until it no longer does.
CREATE FUNCTION app.carry_avatar() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    UPDATE public.chat_files SET is_published = false WHERE id = OLD.avatar AND OLD.avatar IS DISTINCT FROM NEW.avatar;
  END IF;
  IF NEW.avatar IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE public.chat_files SET is_published = true
   WHERE id = NEW.avatar AND owner_id = NEW.id AND purpose = 'avatar' AND state = 'ready';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this is no picture of his' USING ERRCODE = 'check_violation', CONSTRAINT = 'avatar_is_own';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER carry_avatar AFTER INSERT OR UPDATE OF avatar ON accounts_user FOR EACH ROW EXECUTE FUNCTION app.carry_avatar();

CREATE TRIGGER audit_avatar AFTER UPDATE OF avatar ON accounts_user FOR EACH ROW
  WHEN (OLD.avatar IS DISTINCT FROM NEW.avatar)
  EXECUTE FUNCTION app.audit_row(
    'user', '', 'password,last_seen_at,email,display_name,language,timezone', '', 'created',
    'avatar=:avatar_removed,avatar:avatar_changed');

-- Make a file the actor's own picture, or have none. Returns the former one, which is nobody's from then on. Nobody has the
-- right to write the column, so that nobody can change another's.
CREATE FUNCTION app.set_avatar(p_file uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
DECLARE
  v_former uuid;
BEGIN
  -- Held first: of two changes at once the second is told what the first has set.
  SELECT u.avatar INTO v_former FROM public.accounts_user u WHERE u.id = app.uid() FOR NO KEY UPDATE;
  UPDATE public.accounts_user SET avatar = p_file WHERE id = app.uid() AND avatar IS DISTINCT FROM p_file;
  RETURN nullif(v_former, p_file);
END
$$;
GRANT EXECUTE ON FUNCTION app.set_avatar(uuid) TO samia_app, samia_staff;

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.carry_avatar() OWNER TO samia_definer;
ALTER FUNCTION app.set_avatar(uuid) OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.set_avatar(uuid);
DROP TRIGGER audit_avatar ON accounts_user;
DROP TRIGGER carry_avatar ON accounts_user;
DROP FUNCTION app.carry_avatar();
ALTER TABLE accounts_user DROP CONSTRAINT accounts_user_avatar;
