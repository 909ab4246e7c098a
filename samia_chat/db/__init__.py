"""The database backend (base.py), the roles (roles.sql) and how migrations read SQL files (sql.py)."""
