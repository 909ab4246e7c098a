"""`./samia doctor`: `./samia manage doctor`, for whoever does not know yet that it is one of Django's commands."""

from __future__ import annotations

import sys

from samia_chat.embedded import manage

if __name__ == "__main__":
    sys.argv.insert(1, "doctor")
    manage.main()
