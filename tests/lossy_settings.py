"""The product's settings with a channel layer that loses a fifth of what is published."""

from samia_chat.settings import *  # noqa: F403
from samia_chat.settings import REDIS_URL

CHANNEL_LAYERS = {"default": {"BACKEND": "tests.lossy_layer.LossyLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
