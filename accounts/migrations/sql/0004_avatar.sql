-- The people of the sessions that the actor is a member of, himself and former members among them: whose names and pictures he
-- sees. Some come more than once. As with app.my_sessions, the table is the chat app's, and is looked up when the body runs.
CREATE FUNCTION app.my_people() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  RETURN QUERY SELECT p.user_id FROM public.chat_participants p WHERE p.session_id = ANY (ARRAY(SELECT app.my_sessions()));
END
$$;
GRANT EXECUTE ON FUNCTION app.my_people() TO samia_app, samia_staff;

-- Last: once the definer owns it, the owner of the tables may grant nothing on it any more.
ALTER FUNCTION app.my_people() OWNER TO samia_definer;
-- reverse --
DROP FUNCTION app.my_people();
