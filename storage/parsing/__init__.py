"""The program that reads strangers' files, in a process of its own: `python -m storage.parsing`.

Pillow, FFmpeg and pdfium are written in C and fed by whoever has an account. Here they may crash, hang or eat memory without
taking a web process along. Nothing of Django is imported, no secret is in the environment; `storage.parsers` is the other end.
"""
