"""Figures in the text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Metric:
    """A gauge. Each sample is its labels, with their values, and a figure."""

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def format_metrics(metrics: Iterable[Metric]) -> str:
    """Return the text, with the samples of metrics of one name together."""
    by_name: dict[str, list[str]] = {}
    for metric in metrics:
        head = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        lines = by_name.setdefault(metric.name, head)
        lines += [f"{metric.name}{format_labels(labels)} {float(figure)!r}" for labels, figure in metric.samples]
    return "".join(f"{line}\n" for lines in by_name.values() for line in lines)


def format_labels(labels: Mapping[str, str]) -> str:
    """Return `{folder="/srv",status="updated"}`; nothing for no labels."""
    texts = ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())
    return f"{{{texts}}}" if texts else ""


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
