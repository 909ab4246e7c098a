-- What must hold of files whoever writes: a child follows its parent, what identifies a file never changes, an end is an end.

-- A file begins unseen, whatever is claimed. A child belongs to whom its parent belongs, and is seen by whom that is seen; the
-- parent is held, so that nothing becomes of it unseen between this look and the commit.
CREATE FUNCTION app.begin_file() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  NEW.is_published := false;
  NEW.deleted_at := NULL;
  NEW.renditions := '{}';
  IF NEW.parent_id IS NULL THEN
    RETURN NEW;
  END IF;
  SELECT f.session_id, f.owner_id, f.is_published, f.deleted_at,
         CASE WHEN f.state IN ('rejected', 'deleted') THEN f.state ELSE NEW.state END
    INTO NEW.session_id, NEW.owner_id, NEW.is_published, NEW.deleted_at, NEW.state
    FROM public.chat_files f WHERE f.id = NEW.parent_id AND f.parent_id IS NULL FOR SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a rendition has a parent that is none' USING ERRCODE = 'check_violation', CONSTRAINT = 'rendition_has_parent';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER begin BEFORE INSERT ON chat_files FOR EACH ROW EXECUTE FUNCTION app.begin_file();

CREATE FUNCTION app.tell_parent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, app AS $$
BEGIN
  UPDATE public.chat_files f SET renditions = array_append(f.renditions, NEW.rendition)
   WHERE f.id = NEW.parent_id AND NOT NEW.rendition = ANY (f.renditions);
  RETURN NULL;
END
$$;
CREATE TRIGGER tell_parent AFTER INSERT OR UPDATE OF state ON chat_files FOR EACH ROW
  WHEN (NEW.parent_id IS NOT NULL AND NEW.state = 'ready') EXECUTE FUNCTION app.tell_parent();

CREATE FUNCTION app.guard_file() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, app AS $$
BEGIN
  IF (NEW.id, NEW.session_id, NEW.owner_id, NEW.purpose, NEW.key, NEW.content_type, NEW.size_bytes, NEW.sha256, NEW.parent_id,
      NEW.rendition, NEW.created_at)
     IS DISTINCT FROM (OLD.id, OLD.session_id, OLD.owner_id, OLD.purpose, OLD.key, OLD.content_type, OLD.size_bytes,
      OLD.sha256, OLD.parent_id, OLD.rendition, OLD.created_at) THEN
    RAISE EXCEPTION 'what identifies a file never changes' USING ERRCODE = 'check_violation', CONSTRAINT = 'file_identity';
  END IF;
  IF OLD.state = 'deleted' AND NEW.state <> 'deleted' OR OLD.state = 'rejected' AND NEW.state NOT IN ('rejected', 'deleted') THEN
    RAISE EXCEPTION 'a file that was % stays so', OLD.state USING ERRCODE = 'check_violation', CONSTRAINT = 'file_end';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER guard BEFORE UPDATE ON chat_files FOR EACH ROW EXECUTE FUNCTION app.guard_file();

-- Last: once the definer owns them, the owner of the tables may grant nothing on them any more.
ALTER FUNCTION app.begin_file() OWNER TO samia_definer;
ALTER FUNCTION app.tell_parent() OWNER TO samia_definer;
-- reverse --
DROP TRIGGER guard ON chat_files;
DROP FUNCTION app.guard_file();
DROP TRIGGER tell_parent ON chat_files;
DROP FUNCTION app.tell_parent();
DROP TRIGGER begin ON chat_files;
DROP FUNCTION app.begin_file();
