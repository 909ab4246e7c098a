from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """People in a session see one another's pictures."""

    dependencies = [("chat", "0013_policies"), ("accounts", "0004_avatar"), ("storage", "0008_avatars")]
    operations = [
        # Only backwards: sync as 0007 has it, which asks for no picture.
        migrations.RunSQL(sql=migrations.RunSQL.noop, reverse_sql=[run_sql_file(__file__, "0007_sync").sql[0]]),
        run_sql_file(__file__, "0014_pictures"),
    ]
