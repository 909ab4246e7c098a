from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """A page of a thread is one query."""

    dependencies = [("chat", "0014_pictures")]
    operations = [run_sql_file(__file__, "0015_thread_page")]
