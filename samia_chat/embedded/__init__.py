"""What `./samia` runs on a machine that has only Python: PostgreSQL, the demo server, the test run.

Nothing here is imported by the product itself: in production the addresses come from the environment.
"""
