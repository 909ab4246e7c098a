-- The queue's own functions and sequences: both runtime roles enqueue, the worker runs as samia_app.
DO $$
DECLARE
  v_function regprocedure;
BEGIN
  FOR v_function IN SELECT oid::regprocedure FROM pg_proc WHERE proname LIKE 'procrastinate%' LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO samia_app, samia_staff', v_function);
  END LOOP;
END
$$;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq, procrastinate_periodic_defers_id_seq
  TO samia_app, samia_staff;
GRANT SELECT ON django_migrations TO samia_app;
-- reverse --
SELECT 1;
