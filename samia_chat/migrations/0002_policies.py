"""Row-level policies and grants, written by `manage.py policies --write samia_chat` from the matrices."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("samia_chat", "0001_queue")]
    operations = [
        migrations.RunSQL(
            sql=[
                'REVOKE ALL ON django_session FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'GRANT DELETE ON django_session TO samia_app',
                'GRANT INSERT ON django_session TO samia_app',
                'GRANT SELECT ON django_session TO samia_app',
                'GRANT UPDATE ON django_session TO samia_app',
                'REVOKE ALL ON procrastinate_events FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'GRANT DELETE ON procrastinate_events TO samia_app',
                'GRANT INSERT ON procrastinate_events TO samia_app',
                'GRANT SELECT ON procrastinate_events TO samia_app',
                'GRANT UPDATE ON procrastinate_events TO samia_app',
                'GRANT DELETE ON procrastinate_events TO samia_staff',
                'GRANT INSERT ON procrastinate_events TO samia_staff',
                'GRANT SELECT ON procrastinate_events TO samia_staff',
                'GRANT UPDATE ON procrastinate_events TO samia_staff',
                'REVOKE ALL ON procrastinate_jobs FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'GRANT DELETE ON procrastinate_jobs TO samia_app',
                'GRANT INSERT ON procrastinate_jobs TO samia_app',
                'GRANT SELECT ON procrastinate_jobs TO samia_app',
                'GRANT UPDATE ON procrastinate_jobs TO samia_app',
                'GRANT DELETE ON procrastinate_jobs TO samia_staff',
                'GRANT INSERT ON procrastinate_jobs TO samia_staff',
                'GRANT SELECT ON procrastinate_jobs TO samia_staff',
                'GRANT UPDATE ON procrastinate_jobs TO samia_staff',
                'REVOKE ALL ON procrastinate_periodic_defers FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'GRANT DELETE ON procrastinate_periodic_defers TO samia_app',
                'GRANT INSERT ON procrastinate_periodic_defers TO samia_app',
                'GRANT SELECT ON procrastinate_periodic_defers TO samia_app',
                'GRANT UPDATE ON procrastinate_periodic_defers TO samia_app',
                'GRANT DELETE ON procrastinate_periodic_defers TO samia_staff',
                'GRANT INSERT ON procrastinate_periodic_defers TO samia_staff',
                'GRANT SELECT ON procrastinate_periodic_defers TO samia_staff',
                'GRANT UPDATE ON procrastinate_periodic_defers TO samia_staff',
                'REVOKE ALL ON procrastinate_workers FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'GRANT DELETE ON procrastinate_workers TO samia_app',
                'GRANT INSERT ON procrastinate_workers TO samia_app',
                'GRANT SELECT ON procrastinate_workers TO samia_app',
                'GRANT UPDATE ON procrastinate_workers TO samia_app',
                'GRANT DELETE ON procrastinate_workers TO samia_staff',
                'GRANT INSERT ON procrastinate_workers TO samia_staff',
                'GRANT SELECT ON procrastinate_workers TO samia_staff',
                'GRANT UPDATE ON procrastinate_workers TO samia_staff',
            ],
            reverse_sql=[
                'REVOKE ALL ON django_session FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'REVOKE ALL ON procrastinate_events FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'REVOKE ALL ON procrastinate_jobs FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'REVOKE ALL ON procrastinate_periodic_defers FROM PUBLIC, samia_app, samia_staff, samia_definer',
                'REVOKE ALL ON procrastinate_workers FROM PUBLIC, samia_app, samia_staff, samia_definer',
            ],
        )
    ]
