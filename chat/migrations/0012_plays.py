from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Members learn who has played a voice message; sync tells of it."""

    dependencies = [("chat", "0011_file_lists")]
    operations = [
        run_sql_file(__file__, "0012_plays"),
        # Once more, where it was made before plays were told of.
        migrations.RunSQL(sql=[run_sql_file(__file__, "0007_sync").sql[0]], reverse_sql=migrations.RunSQL.noop),
    ]
