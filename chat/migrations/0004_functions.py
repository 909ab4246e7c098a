from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """What the application may do without rights on the tables, and what a process asks for its sockets."""

    dependencies = [("chat", "0003_policies")]
    operations = [run_sql_file(__file__, "0004_functions")]
