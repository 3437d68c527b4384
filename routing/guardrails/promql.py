"""Reads a figure of one's own from Prometheus."""

from __future__ import annotations

import json
from http.client import HTTPException
from math import isnan
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...config import Metrics
from ...errors import FigError
from ...guardrail_settings import Metric
from ...secret import read_secret

__all__ = ["ask_prometheus", "check_prometheus"]

_MOST: Final = 1 << 20


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: a token goes to nobody else."""

    def redirect_request(self, *arguments: object, **named: object) -> None:
        del arguments, named


_OPENER: Final = build_opener(_Stay)


def ask_prometheus(metric: Metric, source: Metrics) -> float | None:
    """Give the one number of an instant query; None where it has no series, or not a number.

    Blocks. Raises ``FigError`` where Prometheus cannot be asked, or gives several series.
    """
    place = f"{source.place}.prometheus"
    headers = {"Accept": "application/json", **check_prometheus(source)}
    query = urlencode({"query": metric.query})
    address = source.source.prometheus.rstrip("/") + "/api/v1/query?" + query
    asked = Request(address, headers=headers)  # noqa: S310  # fig.toml takes http and https only
    try:
        with _OPENER.open(asked, timeout=source.source.timeout) as answer:
            body = answer.read(_MOST)
    except HTTPError as error:
        error.close()
        raise _refused(metric, place, f"status {error.code}") from error
    except (OSError, HTTPException) as error:
        raise _refused(metric, place, type(error).__name__) from error
    return _number(body, metric, place)


def check_prometheus(source: Metrics) -> dict[str, str]:
    """Give the header of its token, where it has one. Raises ``ConfigError``."""
    if not source.source.token:
        return {}
    token = read_secret(source.source.token, place=f"{source.place}.token", root=source.root)
    return {"Authorization": f"Bearer {token}"}


def _number(body: bytes, metric: Metric, place: str) -> float | None:
    try:
        data: Any = json.loads(body)["data"]
        result = data["result"]
        if data["resultType"] == "vector":
            if len(result) > 1:
                raise _many(metric, place, len(result))
            pair = result[0]["value"] if result else None
        else:
            pair = result if data["resultType"] == "scalar" else None
        number = None if pair is None else float(pair[1])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _refused(metric, place, "an answer that is none of Prometheus") from error
    return None if number is None or isnan(number) else number


def _refused(metric: Metric, place: str, why: str) -> FigError:
    return FigError(
        f"Prometheus cannot be asked for metric {metric.name!r}: {why}",
        place=place,
        remedy="see that it runs there, and that the query is right",
    )


def _many(metric: Metric, place: str, count: int) -> FigError:
    return FigError(
        f"the query of metric {metric.name!r} gives several series",
        place=place,
        value=str(count),
        expected="one: aggregate them, as with sum(...)",
    )
