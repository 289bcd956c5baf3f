"""Where state lives: SQLite files with their tables, versions, transactions and locks."""
