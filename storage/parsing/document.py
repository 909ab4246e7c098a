"""PDF: pdfium opens it. Kept byte for byte, scripts and all: browsers get it as a download that runs nowhere."""

from __future__ import annotations

from pathlib import Path

import pypdfium2

from storage.formats import JPEG, PDF
from storage.parsing.image import POSTER_PIXELS, save
from storage.parsing.made import made
from storage.parsing.messages import Answer, Refused

ERR_PASSWORD = 4  # FPDF_ERR_PASSWORD


def judge(source: Path) -> Answer:
    with _opened(source):
        return Answer(is_kept=True, file=made(source, PDF))


def poster(source: Path, folder: Path) -> Answer:
    """The first page as a picture."""
    with _opened(source) as document:
        page = document[0]
        longest = max(page.get_size())
        if not longest > 0:
            raise Refused("file_unreadable", "The first page of this PDF has no size.")
        # Pages without a ground of their own are meant for white paper.
        picture = page.render(scale=POSTER_PIXELS / longest, fill_color=(255, 255, 255, 255)).to_pil()
    return Answer(file=save(picture.convert("RGB"), folder, "poster", JPEG))


def _opened(source: Path) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == ERR_PASSWORD:
            raise Refused("file_unreadable", "This PDF asks for a password. Send it without one.") from error
        raise Refused("file_unreadable", "This PDF is damaged.") from error
    if len(document) < 1:
        document.close()
        raise Refused("file_unreadable", "This PDF has no pages.")
    return document
