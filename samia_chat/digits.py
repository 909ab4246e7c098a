"""Digits as the reader's language writes them. In the browser Intl does the same (samia/text)."""

from __future__ import annotations

from django.utils.translation import get_language

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def localised(text: str) -> str:
    return text.translate(ARABIC) if get_language() == "ar" else text
