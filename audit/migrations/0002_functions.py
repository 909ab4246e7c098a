from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Chains, the generic trigger, and the refusal of every change."""

    dependencies = [("audit", "0001_initial")]
    operations = [run_sql_file(__file__, "0002_functions")]
