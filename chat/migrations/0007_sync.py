from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """What brings a client level, read in one call."""

    dependencies = [("chat", "0006_presence"), ("storage", "0003_renditions")]
    operations = [run_sql_file(__file__, "0007_sync")]
