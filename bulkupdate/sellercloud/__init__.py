"""The vendor's API: client, sign-in, base URL, transport, retries, classification of answers, rate limit.

What is known of the API, and how surely, is in `docs/api.md`.
"""
