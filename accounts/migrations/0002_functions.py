from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Role and membership as policies ask for them, the doors of sign-in, access notices, guards."""

    dependencies = [("accounts", "0001_initial"), ("audit", "0002_functions")]
    operations = [run_sql_file(__file__, "0002_functions")]
