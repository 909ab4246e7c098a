#!/usr/bin/env python3
"""Django's command line. Commands that change the schema run as the owner of the tables, all others as the server does."""

import os
import sys

OWNER_COMMANDS = {"demo", "migrate", "makemigrations", "showmigrations", "sqlmigrate", "policies"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "samia_chat.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("SAMIA_DATABASE_ROLE", "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
