"""Row-level policies and grants, written by `manage.py policies --write storage` from the matrices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("storage", "0001_initial"), ("accounts", "0002_functions")]
    operations = [
        migrations.RunSQL(
            sql=[
                'REVOKE ALL ON chat_files FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_files ENABLE ROW LEVEL SECURITY',
                "CREATE POLICY samia_app_view ON chat_files FOR SELECT TO samia_app USING (session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}'))))",
                'CREATE POLICY samia_definer_all ON chat_files FOR ALL TO samia_definer USING (true) WITH CHECK (true)',
                "CREATE POLICY samia_staff_view ON chat_files FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system'))",
                'GRANT SELECT ON chat_files TO samia_app',
                'GRANT SELECT ON chat_files TO samia_definer',
                'GRANT SELECT ON chat_files TO samia_staff',
            ],
            reverse_sql=[
                'DROP POLICY samia_app_view ON chat_files',
                'DROP POLICY samia_definer_all ON chat_files',
                'DROP POLICY samia_staff_view ON chat_files',
                'REVOKE ALL ON chat_files FROM PUBLIC, samia_app, samia_staff, samia_definer',
            ],
        )
    ]
