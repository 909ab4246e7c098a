from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Presence."""

    dependencies = [("chat", "0005_send")]
    operations = [run_sql_file(__file__, "0006_presence")]
