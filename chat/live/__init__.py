"""What lives in a web process beside its requests: sockets, the batcher, presence, and the runtime that starts them."""
