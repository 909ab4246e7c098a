from __future__ import annotations

from rest_framework import serializers

from samia_chat.api.input import Input


class AvatarInput(Input):
    avatar = serializers.FileField(
        allow_empty_file=True,
        help_text="A picture of at most 5 MiB. The square in its middle is kept, 256 pixels wide and without metadata.",
    )
