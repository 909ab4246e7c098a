"""The product's settings with static files as an image has them: collected, hashed, compressed; in the folder BENCH_STATIC."""

import os
from pathlib import Path

from samia_chat.settings import *  # noqa: F403
from samia_chat.settings import STORAGES

STATIC_ROOT = Path(os.environ["BENCH_STATIC"])
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = False
STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
