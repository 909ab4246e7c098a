"""What storage tells the layers above it, which it does not know."""

from __future__ import annotations

from django.dispatch import Signal

# A file that its message shows is no longer as it was. Sends `file`, its id, outside of a transaction.
file_changed = Signal()
