"""Where state lives: files of SQLite with their tables, versions, transactions and locks."""
