"""Python runs this as it starts: every process that the tests start reaches no network either (samia_chat/embedded/test.py
puts this folder on its path)."""

import network

network.refuse_network()
