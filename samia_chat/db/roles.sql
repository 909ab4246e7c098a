-- The roles, and what each may do to the database itself. Run once by the cluster's superuser in the product's database;
-- safe to run again. docker-compose.yml and the embedded server use this same file. Passwords are the operator's to set.
--
--   samia_owner    owns the tables and migrates; never serves
--   samia_app      serves: clients, readers and whoever has not signed in
--   samia_staff    entered by SET LOCAL ROLE for monitor, admin, super_admin and jobs
--   samia_definer  owns the SECURITY DEFINER functions; nobody signs in as it
--
-- No role has BYPASSRLS: what a definer function may read is a policy that can be listed.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'samia_owner') THEN
    CREATE ROLE samia_owner LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'samia_app') THEN
    CREATE ROLE samia_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'samia_staff') THEN
    CREATE ROLE samia_staff NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'samia_definer') THEN
    CREATE ROLE samia_definer NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END
$$;

-- The server may become staff, but inherits nothing of it; the owner may hand functions to the definer.
GRANT samia_staff TO samia_app WITH INHERIT FALSE, SET TRUE;
GRANT samia_definer TO samia_owner WITH INHERIT FALSE, SET TRUE;

DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO samia_owner', current_database()); END $$;
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); END $$;
DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO samia_app', current_database()); END $$;
ALTER SCHEMA public OWNER TO samia_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO samia_app, samia_staff, samia_definer;

CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION samia_owner;
GRANT USAGE ON SCHEMA app TO samia_app, samia_staff, samia_definer;
-- ALTER … OWNER TO needs it; nothing runs as the definer but the functions themselves.
GRANT CREATE ON SCHEMA app, public TO samia_definer;

-- A function is callable by those a migration names, never by everybody.
ALTER DEFAULT PRIVILEGES FOR ROLE samia_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE samia_definer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
