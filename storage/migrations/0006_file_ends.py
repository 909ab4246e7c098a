from django.db import migrations, models

from samia_chat.db.sql import run_sql_file


class Migration(migrations.Migration):
    """The ends of files, and the indexes of the sweep that comes every five minutes."""

    dependencies = [("storage", "0005_policies")]
    operations = [
        run_sql_file(__file__, "0006_file_ends"),
        migrations.RemoveIndex(model_name="chatfile", name="chat_files_evidence"),
        migrations.AddIndex(
            model_name="chatfile",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False), models.Q(("reason", "expired"), _negated=True)),
                fields=["deleted_at"],
                name="chat_files_evidence",
            ),
        ),
        migrations.AddIndex(
            model_name="chatfile",
            index=models.Index(
                condition=models.Q(("is_published", False), ("parent__isnull", True)),
                fields=["created_at"],
                name="chat_files_unpublished",
            ),
        ),
    ]
