from django.db import migrations, models

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """A person's picture, and whose names and pictures one sees."""

    dependencies = [("accounts", "0003_policies")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="avatar",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(("avatar__isnull", False)), fields=["avatar"], name="user_avatar"),
        ),
        run_sql_file(__file__, "0004_avatar"),
    ]
