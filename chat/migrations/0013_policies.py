"""Row-level policies and grants, written by `manage.py policies --write chat` from the matrices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0012_plays")]
    operations = [
        migrations.RunSQL(
            sql=[
                'DROP POLICY samia_app_add ON chat_plays',
                'DROP POLICY samia_app_view ON chat_plays',
                'DROP POLICY samia_staff_add ON chat_plays',
                'DROP POLICY samia_staff_view ON chat_plays',
                'REVOKE ALL ON chat_plays FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_plays ENABLE ROW LEVEL SECURITY',
                "CREATE POLICY samia_app_view ON chat_plays FOR SELECT TO samia_app USING (session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}'))))",
                'CREATE POLICY samia_definer_all ON chat_plays FOR ALL TO samia_definer USING (true) WITH CHECK (true)',
                "CREATE POLICY samia_staff_view ON chat_plays FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system'))",
                'GRANT SELECT ON chat_plays TO samia_app',
                'GRANT INSERT ON chat_plays TO samia_definer',
                'GRANT SELECT ON chat_plays TO samia_definer',
                'GRANT SELECT ON chat_plays TO samia_staff',
            ],
            reverse_sql=[
                'DROP POLICY samia_app_view ON chat_plays',
                'DROP POLICY samia_definer_all ON chat_plays',
                'DROP POLICY samia_staff_view ON chat_plays',
                'REVOKE ALL ON chat_plays FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_plays ENABLE ROW LEVEL SECURITY',
                "CREATE POLICY samia_app_add ON chat_plays FOR INSERT TO samia_app WITH CHECK ((user_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}')))))",
                "CREATE POLICY samia_app_view ON chat_plays FOR SELECT TO samia_app USING (session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}'))))",
                "CREATE POLICY samia_staff_add ON chat_plays FOR INSERT TO samia_staff WITH CHECK (((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system') AND ((user_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}')))))))",
                "CREATE POLICY samia_staff_view ON chat_plays FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system'))",
                'GRANT INSERT ON chat_plays TO samia_app',
                'GRANT SELECT ON chat_plays TO samia_app',
                'GRANT INSERT ON chat_plays TO samia_staff',
                'GRANT SELECT ON chat_plays TO samia_staff',
            ],
        )
    ]
