"""Send a request that reads, and turn its result into a response or an error."""

from __future__ import annotations

from typing import Any

from bulkupdate.errors import InterruptedRunError, ServiceDownError
from bulkupdate.sellercloud.pipeline import RequestPipeline
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory
from bulkupdate.sellercloud.transport import Request


def read(pipeline: RequestPipeline, url: str, what: str) -> ApiResponse:
    """GET that URL, which must answer with a JSON object; `what` says what is being done, for errors.

    Raises `ServiceDownError` if all attempts failed, other `StoppedError`s as the pipeline does, and
    `InterruptedRunError` once the run is asked to stop.
    """
    history = RequestHistory()
    pipeline.run(Request("GET", url, expects_json_object=True), history)
    if history.was_stopped:
        raise interrupted_error(what)
    if history.response is None or history.response.verdict is Verdict.TRANSIENT:
        raise ServiceDownError(
            f"{what.capitalize()} failed {history.attempts} times. The last attempt: {history.describe()}.",
            remedy="Try again when the service is back.",
        )
    return history.response


def require_object(
    response: ApiResponse, what: str, error: type[ServiceDownError] = ServiceDownError
) -> dict[str, Any]:
    """Return the JSON object of an accepted response. Raises `error` for any other."""
    if response.verdict is not Verdict.ACCEPTED:
        details = f"{response.status} {response.message}".rstrip(" .")
        raise error(f"While {what}, the service answered {details}.")
    answer: dict[str, Any] = response.json
    return answer


def interrupted_error(what: str) -> InterruptedRunError:
    """Return the error of a request that was not sent because the run is to stop."""
    return InterruptedRunError(f"Stopped before {what}.")
