"""Digits as the reader's language writes them. In the browser Intl does the same (samia/text)."""

from __future__ import annotations

from django.utils.translation import get_language

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
SEPARATORS = str.maketrans(",.", "٬٫")


def localised(text: str) -> str:
    return text.translate(ARABIC) if get_language() == "ar" else text


def number(value: float) -> str:
    """1,234 and 2.5, with as many decimals as it has."""
    text = f"{value:,}".removesuffix(".0")
    return localised(text.translate(SEPARATORS)) if get_language() == "ar" else text
