"""Send one request with all it takes to get an answer: quota, token, retries, and waiting while throttled."""

from __future__ import annotations

import threading
from dataclasses import replace

from bulkupdate.clock import Clock
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.auth import AccessToken, SignIn
from bulkupdate.sellercloud.rate_limit import Quota
from bulkupdate.sellercloud.rate_limit_store import Permit
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory, Retrier, StopRequestedError
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport
from bulkupdate.settings import Settings


class RequestPipeline:
    """Sends requests to one service with one login, as often as needed. Thread-safe.

    `requests_sent` counts every request, including `already_sent` ones that found the base URL. `first_throttle` is the
    first throttle answer, None: none came.
    """

    def __init__(
        self,
        settings: Settings,
        base_url: str,
        quota: Quota,
        clock: Clock,
        stop: threading.Event,
        already_sent: int = 0,
    ) -> None:
        self.requests_sent = already_sent
        self.first_throttle: ApiResponse | None = None
        self._clock_offset = 0.0
        self._count_lock = threading.Lock()
        self._quota = quota
        self._stop = stop
        redactor = Redactor()
        self.redact = redactor.redact
        """Remove password and token from a text."""
        self._transport = Transport(base_url, settings.timeout, settings.concurrency, clock, redactor)
        self._retrier = Retrier(settings.max_attempts, settings.retry_wait, clock, stop)
        self._sign_in = SignIn(base_url, settings.username, settings.password, clock, redactor, self._run_unsigned)

    @property
    def username(self) -> str:
        """The user name that the service returned at the sign-in; empty before that, or if it returned none."""
        return self._sign_in.username

    @property
    def token(self) -> str:
        """The token in force. Raises as `sign_in` does."""
        return self._sign_in.current().text

    @property
    def token_seconds(self) -> float:
        """The life of the token in force; infinite if the service named none. Raises as `sign_in` does."""
        return self._sign_in.current().life_seconds

    def service_time(self, ours: float) -> float:
        """Return what the service's clock shows when ours shows `ours`, both in seconds since 1970.

        What is compared with times of the service is recorded by its clock. Before its first answer that is ours.
        """
        return ours + self._clock_offset

    def sign_in(self) -> None:
        """Sign in, unless that is done. Raises as `SignIn.current` does."""
        self._sign_in.current()

    def run(self, request: Request, history: RequestHistory) -> None:
        """Send with a token until a response is final or the attempts are used up; `history` has the result.

        A 401 leads to one new sign-in, shared by all workers, and one repetition with the new token.

        Raises the `StoppedError`s of sign-in, of throttling and of a bad certificate.
        """
        self._retrier.run(lambda history: self._send_signed(request, history), history)

    def run_once(self, request: Request, history: RequestHistory) -> None:
        """Send as `run` does, but attempt it once only; with the request's own token if it has one."""
        send = self._send if request.token or request.url.endswith("/token") else self._send_signed
        replace(self._retrier, max_attempts=1).run(lambda history: send(request, history), history)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _run_unsigned(self, request: Request) -> RequestHistory:
        history = RequestHistory()
        self._retrier.run(lambda history: self._send(request, history), history)
        return history

    def _send_signed(self, request: Request, history: RequestHistory) -> ApiResponse:
        response, token = self._send_with_token(request, history)
        if response.verdict is not Verdict.UNAUTHORIZED:
            self._sign_in.note_accepted(token)
            return response
        history.response = response
        self._sign_in.replace_refused(token, _locate(response, request))
        response, token = self._send_with_token(request, history)
        if response.verdict is Verdict.UNAUTHORIZED:
            return self._classify_refused_again(request, response, token)
        self._sign_in.note_accepted(token)
        return response

    def _classify_refused_again(self, request: Request, response: ApiResponse, token: AccessToken) -> ApiResponse:
        """Refuse the request if its new token was accepted for another request; otherwise the login is at fault."""
        if not self._sign_in.spend_exception(token):
            raise self._sign_in.refuse_token(_locate(response, request))
        note = f"refused with a new token too, which was accepted for others: {response.message}".rstrip(": ")
        return replace(response, verdict=Verdict.REFUSED, message=note)

    def _send_with_token(self, request: Request, history: RequestHistory) -> tuple[ApiResponse, AccessToken]:
        while True:
            token, permit = self._get_token_and_permit()
            response = self._send_once(replace(request, token=token.text), permit, history)
            if response.verdict is not Verdict.THROTTLED:
                return response, token

    def _get_token_and_permit(self) -> tuple[AccessToken, Permit]:
        token = self._sign_in.current()
        permit = self._get_permit()
        if not self._sign_in.is_current(token):  # it expired while we waited for the permit: the sign-in may use that
            self._quota.cancel_permit(permit)
            token = self._sign_in.current()
            permit = self._get_permit()
        return token, permit

    def _send(self, request: Request, history: RequestHistory) -> ApiResponse:
        while True:
            response = self._send_once(request, self._get_permit(), history)
            if response.verdict is not Verdict.THROTTLED:
                return response

    def _get_permit(self) -> Permit:
        permit = self._quota.spend(self._stop)
        if permit is None:
            raise StopRequestedError
        return permit

    def _send_once(self, request: Request, permit: Permit, history: RequestHistory) -> ApiResponse:
        with self._count_lock:
            self.requests_sent += 1
        history.note_sent()
        try:
            response = self._transport.send(request)
        except BaseException as error:
            if isinstance(error, NoReplyError):
                history.note_no_reply(error)
            self._quota.release(permit, answered=False)
            raise
        if response.clock_offset is not None:
            self._clock_offset = response.clock_offset
        history.note_response(response)  # before the quota, which may end the run here
        if response.verdict is Verdict.THROTTLED:
            self.first_throttle = self.first_throttle or response
        if _pauses_all(response):
            self._quota.throttle(permit, response.wait_seconds)
        else:
            self._quota.release(permit, answered=True)
        return _require_object(response) if request.expects_json_object else response


def _locate(response: ApiResponse, request: Request) -> str:
    """Return the service's message and the path of the request, as it may be refused for that customer alone."""
    return f"{response.message} at {request.url.partition('?')[0].rpartition('/rest/api/')[2]}".strip()


def _pauses_all(response: ApiResponse) -> bool:
    """Return whether all requests must wait: a throttle answer, or a failure with a `Retry-After`."""
    is_failure_with_time = response.verdict is Verdict.TRANSIENT and response.wait_seconds is not None
    return response.verdict is Verdict.THROTTLED or is_failure_with_time


def _require_object(response: ApiResponse) -> ApiResponse:
    """Return the response, as one to be attempted again if it was accepted without the expected JSON object."""
    if response.verdict is not Verdict.ACCEPTED or isinstance(response.json, dict):
        return response
    return replace(response, verdict=Verdict.TRANSIENT, message=response.message or "with a body that is not JSON")
