from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """The send path."""

    dependencies = [("chat", "0004_functions")]
    operations = [run_sql_file(__file__, "0005_send")]
