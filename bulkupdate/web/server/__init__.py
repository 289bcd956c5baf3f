"""The HTTP server: its connections, threads and background work."""
