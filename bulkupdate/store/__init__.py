"""Where state lives: SQLite files, or PostgreSQL; tables, versions, transactions and locks."""
