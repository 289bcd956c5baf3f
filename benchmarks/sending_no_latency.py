"""Goal 7: sending to a service that answers at once, 32 in flight, journal and quota on: what the tool itself costs."""

from __future__ import annotations

from pathlib import Path

from benchmarks.delayed_server import serve_delayed
from benchmarks.figures import Figure, Size, interleave, run_program
from benchmarks.sending import Sent, send_with_ours, send_with_requests

CONCURRENCY = 32


def measure(size: Size, _folder: Path) -> list[Figure]:
    """PUTs a second, and the processor time of one."""
    rows = size.sent_rows
    milliseconds: dict[str, list[float]] = {"this tool": [], "requests": [], "requests and tenacity": []}

    def rate(name: str, sent: Sent) -> float:
        milliseconds[name].append(sent.cpu_seconds / sent.rows * 1000)
        return sent.rows / sent.seconds

    def theirs(name: str, base_url: str) -> float:
        return rate(name, send_with_requests(base_url, rows, CONCURRENCY, with_tenacity="tenacity" in name))

    with serve_delayed(0) as base_url:
        rates = interleave(
            size.repeats,
            {
                "this tool": lambda: rate("this tool", send_with_ours(base_url, rows, CONCURRENCY)),
                "requests": lambda: theirs("requests", base_url),
                "requests and tenacity": lambda: theirs("requests and tenacity", base_url),
            },
        )
    cpu = {name: sorted(values)[len(values) // 2] for name, values in milliseconds.items()}
    said = "; ".join(f"{name} {rates.say(name, ' a second')}, {cpu[name]:.2f} ms a PUT" for name in cpu)
    return [
        Figure(
            7,
            f"PUTs a second ÷ those of bare `requests` + tenacity, no latency, 32 in flight, {rows:,} rows",
            rates["this tool"] / rates["requests and tenacity"],
            least=1.4,
            beside=said,
            limit="One interpreter lock for all threads: journal, quota and the request's own work add up.",
        ),
        Figure(
            7,
            "processor time a PUT ÷ that of bare `requests` + tenacity",
            cpu["this tool"] / cpu["requests and tenacity"],
            most=0.75,
            beside="of this process, all threads",
        ),
    ]


if __name__ == "__main__":
    run_program(measure)
