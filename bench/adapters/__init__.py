"""One module per server under load; `server.py` is what they share, and all that the driver asks of one.

`debian.py` and `archive.py` are what ejabberd needs beside its own.
"""
