from django.db import migrations

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """Derived columns, the life of a message, the record, the notices; people as others see them."""

    dependencies = [("chat", "0001_initial"), ("accounts", "0002_functions")]
    operations = [run_sql_file(__file__, "0002_guards")]
