from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """What third-party tables need besides the grants of OPEN_MODELS."""

    dependencies = [("procrastinate", "0041_post_retry_failed_job"), ("sessions", "0001_initial")]
    operations = [run_sql_file(__file__, "0001_queue")]
