from django.db import migrations, models

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """A picture is its owner's, and whoever changes his leaves a record."""

    dependencies = [("storage", "0007_unmade"), ("accounts", "0004_avatar")]
    operations = [
        migrations.AddConstraint(
            model_name="chatfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("purpose", "avatar"), _negated=True), ("session_id__isnull", True), _connector="OR"
                ),
                name="avatar_in_no_session",
            ),
        ),
        run_sql_file(__file__, "0008_avatars"),
    ]
