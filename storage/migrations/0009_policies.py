"""Row-level policies and grants, written by `manage.py policies --write storage` from the matrices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("storage", "0008_avatars")]
    operations = [
        migrations.RunSQL(
            sql=[
                'DROP POLICY samia_app_add ON chat_files',
                'DROP POLICY samia_app_view ON chat_files',
                'DROP POLICY samia_definer_all ON chat_files',
                'DROP POLICY samia_staff_add ON chat_files',
                'DROP POLICY samia_staff_change ON chat_files',
                'DROP POLICY samia_staff_purge ON chat_files',
                'DROP POLICY samia_staff_view ON chat_files',
                'REVOKE ALL ON chat_files FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_files ENABLE ROW LEVEL SECURITY',
                "CREATE POLICY samia_app_add ON chat_files FOR INSERT TO samia_app WITH CHECK (((owner_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active}'))))) OR ((purpose = 'avatar') AND (owner_id = (SELECT app.uid()))))",
                "CREATE POLICY samia_app_view ON chat_files FOR SELECT TO samia_app USING ((((session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}')))) AND (state <> 'deleted')) AND ((is_published) OR (owner_id = (SELECT app.uid())))) OR ((purpose = 'avatar') AND ((owner_id = (SELECT app.uid())) OR ((is_published) AND (owner_id = ANY (ARRAY(SELECT app.my_people())))))))",
                'CREATE POLICY samia_definer_all ON chat_files FOR ALL TO samia_definer USING (true) WITH CHECK (true)',
                "CREATE POLICY samia_staff_add ON chat_files FOR INSERT TO samia_staff WITH CHECK (((SELECT app.role()) IN ('monitor') AND ((purpose = 'avatar') AND (owner_id = (SELECT app.uid())))) OR ((SELECT app.role()) IN ('admin', 'super_admin') AND (((owner_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active}'))))) OR ((purpose = 'avatar') AND (owner_id = (SELECT app.uid()))))) OR (SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_change ON chat_files FOR UPDATE TO samia_staff USING ((SELECT app.role()) IN ('system')) WITH CHECK ((SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_purge ON chat_files FOR DELETE TO samia_staff USING ((SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_view ON chat_files FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system'))",
                'GRANT INSERT ON chat_files TO samia_app',
                'GRANT SELECT ON chat_files TO samia_app',
                'GRANT DELETE ON chat_files TO samia_definer',
                'GRANT SELECT ON chat_files TO samia_definer',
                'GRANT UPDATE ON chat_files TO samia_definer',
                'GRANT DELETE ON chat_files TO samia_staff',
                'GRANT INSERT ON chat_files TO samia_staff',
                'GRANT SELECT ON chat_files TO samia_staff',
                'GRANT UPDATE (duration_ms, height, reason, state, waveform, width) ON chat_files TO samia_staff',
            ],
            reverse_sql=[
                'DROP POLICY samia_app_add ON chat_files',
                'DROP POLICY samia_app_view ON chat_files',
                'DROP POLICY samia_definer_all ON chat_files',
                'DROP POLICY samia_staff_add ON chat_files',
                'DROP POLICY samia_staff_change ON chat_files',
                'DROP POLICY samia_staff_purge ON chat_files',
                'DROP POLICY samia_staff_view ON chat_files',
                'REVOKE ALL ON chat_files FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_files ENABLE ROW LEVEL SECURITY',
                "CREATE POLICY samia_app_add ON chat_files FOR INSERT TO samia_app WITH CHECK ((owner_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active}')))))",
                "CREATE POLICY samia_app_view ON chat_files FOR SELECT TO samia_app USING (((session_id = ANY (ARRAY(SELECT app.my_sessions('{active,paused,locked,ended}')))) AND (state <> 'deleted')) AND ((is_published) OR (owner_id = (SELECT app.uid()))))",
                'CREATE POLICY samia_definer_all ON chat_files FOR ALL TO samia_definer USING (true) WITH CHECK (true)',
                "CREATE POLICY samia_staff_add ON chat_files FOR INSERT TO samia_staff WITH CHECK (((SELECT app.role()) IN ('admin', 'super_admin') AND ((owner_id = (SELECT app.uid())) AND (session_id = ANY (ARRAY(SELECT app.my_sessions('{active}')))))) OR (SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_change ON chat_files FOR UPDATE TO samia_staff USING ((SELECT app.role()) IN ('system')) WITH CHECK ((SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_purge ON chat_files FOR DELETE TO samia_staff USING ((SELECT app.role()) IN ('system'))",
                "CREATE POLICY samia_staff_view ON chat_files FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('monitor', 'admin', 'super_admin', 'system'))",
                'GRANT INSERT ON chat_files TO samia_app',
                'GRANT SELECT ON chat_files TO samia_app',
                'GRANT DELETE ON chat_files TO samia_definer',
                'GRANT SELECT ON chat_files TO samia_definer',
                'GRANT UPDATE ON chat_files TO samia_definer',
                'GRANT DELETE ON chat_files TO samia_staff',
                'GRANT INSERT ON chat_files TO samia_staff',
                'GRANT SELECT ON chat_files TO samia_staff',
                'GRANT UPDATE (duration_ms, height, reason, state, waveform, width) ON chat_files TO samia_staff',
            ],
        )
    ]
