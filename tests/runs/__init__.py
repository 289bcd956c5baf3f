"""A run by the whole program. Which test shows which check of the acceptance list:

1, 2, 3, 5, 15  test_kill (every event in the long tests, one in 61 else), test_resume (a row in flight)
4               test_resume (killed while the results are written)
6, 7            test_stopping (asked once, asked twice, while all wait)
8 to 11         test_resume
12 to 14        test_journal; what a full disk spares is in the journal, or was not sent
15              test_kill, test_faults (random schedules), tests/cli/commands
16 to 18, 30    test_faults (passing and lasting trouble, refusals, any body); tests/sellercloud for times and jitter
19 to 22        test_quota (throttle answers, useless reset times, wrong clocks); tests/sellercloud for Retry-After
23              test_quota (two processes, the real numbers with a quick clock, 98 %)
24 to 28        test_stopping
29              test_faults (one slow answer); tests/sellercloud for a byte a second
31              tests/cli/test_secrets (plain http, proxies); tests/sellercloud/test_tls for certificates
32              tests/cli/test_secrets
"""
