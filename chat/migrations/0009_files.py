from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Messages with files, the approval of voice; sync tells of both."""

    dependencies = [("chat", "0008_voicereview"), ("storage", "0004_files")]
    operations = [
        run_sql_file(__file__, "0009_files"),
        # Once more, where it was made before files were told of.
        migrations.RunSQL(sql=[run_sql_file(__file__, "0007_sync").sql[0]], reverse_sql=migrations.RunSQL.noop),
    ]
