"""Row-level policies and grants, written by `manage.py policies --write audit` from the matrices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_functions"), ("accounts", "0002_functions")]
    operations = [
        migrations.RunSQL(
            sql=[
                'REVOKE ALL ON chat_audit_logs FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'ALTER TABLE chat_audit_logs ENABLE ROW LEVEL SECURITY',
                'CREATE POLICY samia_definer_all ON chat_audit_logs FOR ALL TO samia_definer USING (true) WITH CHECK (true)',
                "CREATE POLICY samia_staff_view ON chat_audit_logs FOR SELECT TO samia_staff USING ((SELECT app.role()) IN ('admin', 'super_admin'))",
                'GRANT INSERT ON chat_audit_logs TO samia_definer',
                'GRANT SELECT ON chat_audit_logs TO samia_definer',
                'GRANT SELECT ON chat_audit_logs TO samia_staff',
            ],
            reverse_sql=[
                'DROP POLICY samia_definer_all ON chat_audit_logs',
                'DROP POLICY samia_staff_view ON chat_audit_logs',
                'REVOKE ALL ON chat_audit_logs FROM PUBLIC, samia_app, samia_staff, samia_definer',
            ],
        )
    ]
