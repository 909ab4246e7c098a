from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """What must hold of files whoever writes."""

    dependencies = [("storage", "0003_renditions")]
    operations = [run_sql_file(__file__, "0004_files")]
