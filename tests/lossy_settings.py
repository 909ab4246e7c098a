"""The product's settings with a bus that loses a fifth of what is published."""

from samia_chat.settings import *  # noqa: F403

EVENT_BUS = "tests.lossy_bus.LossyBus"
