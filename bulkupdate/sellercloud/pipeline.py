"""Make one request with all it takes to get an answer: quota, token, retries, and throttling waited out."""

from __future__ import annotations

import threading
from dataclasses import replace

from bulkupdate.clock import Clock
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.auth import AccessToken, SignIn
from bulkupdate.sellercloud.rate_limit import Quota
from bulkupdate.sellercloud.rate_limit_store import Permit
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retry import RequestHistory, Retrier, StopRequestedError
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport
from bulkupdate.settings import Settings


class RequestPipeline:
    """Sends requests to one service with one login, as often as it takes. Thread-safe."""

    def __init__(
        self, settings: Settings, base_url: str, quota: Quota, clock: Clock, stop: threading.Event, calls: int = 0
    ) -> None:
        self.calls = calls
        self._count_lock = threading.Lock()
        self._quota = quota
        self._stop = stop
        redactor = Redactor()
        self._transport = Transport(base_url, settings.timeout, settings.concurrency, clock, redactor)
        self._retrier = Retrier(settings.max_attempts, settings.retry_wait, clock, stop)
        self._sign_in = SignIn(base_url, settings.username, settings.password, clock, redactor, self._run_unsigned)

    def sign_in(self) -> None:
        """Sign in, unless that is done. Raises as `SignIn.current` does."""
        self._sign_in.current()

    def run(self, request: Request, course: RequestHistory) -> None:
        """Send with a token until an answer is final or the tries are used up; `course` tells what came of it.

        A 401 is answered by one new sign-in, shared by all, and one repetition with the new token.

        Raises `StopRequestedError`, and the `StoppedError`s of signing in, of throttling and of a bad certificate.
        """
        self._retrier.run(lambda course: self._send_signed(request, course), course)

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _run_unsigned(self, request: Request) -> RequestHistory:
        course = RequestHistory()
        self._retrier.run(lambda course: self._send(request, course), course)
        return course

    def _send_signed(self, request: Request, course: RequestHistory) -> ApiResponse:
        reply, used = self._send_with_token(request, course)
        if reply.verdict is not Verdict.UNAUTHORIZED:
            self._sign_in.note_accepted(used)
            return reply
        course.reply = reply
        self._sign_in.replace_refused(used, _locate(reply, request))
        reply, used = self._send_with_token(request, course)
        if reply.verdict is Verdict.UNAUTHORIZED:
            return self._judge_refused_again(request, reply, used)
        self._sign_in.note_accepted(used)
        return reply

    def _judge_refused_again(self, request: Request, reply: ApiResponse, used: AccessToken) -> ApiResponse:
        """Refuse the request if its new token was accepted for another one meanwhile; else the login is at fault."""
        if not self._sign_in.spend_doubt(used):
            raise self._sign_in.refuse_token(_locate(reply, request))
        note = f"refused with a new token too, which was accepted for others: {reply.message}".rstrip(": ")
        return replace(reply, verdict=Verdict.REFUSED, message=note)

    def _send_with_token(self, request: Request, course: RequestHistory) -> tuple[ApiResponse, AccessToken]:
        while True:
            token, permit = self._get_token_and_permit()
            reply = self._send_once(replace(request, token=token.text), permit, course)
            if reply.verdict is not Verdict.THROTTLED:
                return reply, token

    def _get_token_and_permit(self) -> tuple[AccessToken, Permit]:
        token = self._sign_in.current()
        permit = self._get_permit()
        if not self._sign_in.is_current(token):  # it ran out while we waited for leave: sign in with that leave
            self._quota.cancel_permit(permit)
            token = self._sign_in.current()
            permit = self._get_permit()
        return token, permit

    def _send(self, request: Request, course: RequestHistory) -> ApiResponse:
        while True:
            reply = self._send_once(request, self._get_permit(), course)
            if reply.verdict is not Verdict.THROTTLED:
                return reply

    def _get_permit(self) -> Permit:
        permit = self._quota.spend(self._stop)
        if permit is None:
            raise StopRequestedError
        return permit

    def _send_once(self, request: Request, permit: Permit, course: RequestHistory) -> ApiResponse:
        with self._count_lock:
            self.calls += 1
        course.note_sent()
        try:
            reply = self._transport.send(request)
        except BaseException as error:
            if isinstance(error, NoReplyError):
                course.note_no_reply(error)
            self._quota.release(permit, answered=False)
            raise
        course.note_reply(reply)  # before the quota, which may end the run here
        if _holds_back(reply):
            self._quota.throttle(permit, reply.wait_seconds)
        else:
            self._quota.release(permit, answered=True)
        return _doubt(reply) if request.expects_json_object else reply


def _locate(reply: ApiResponse, request: Request) -> str:
    """Return what the service said, and at which customer: it may be refused for that one alone."""
    return f"{reply.message} at {request.url.partition('?')[0].rpartition('/rest/api/')[2]}".strip()


def _holds_back(reply: ApiResponse) -> bool:
    """Whether all must wait: a throttle answer, or trouble with a `Retry-After`."""
    return reply.verdict is Verdict.THROTTLED or (reply.verdict is Verdict.TRANSIENT and reply.wait_seconds is not None)


def _doubt(reply: ApiResponse) -> ApiResponse:
    """Return the answer, as one to be tried again if it was accepted without the JSON object that was expected."""
    if reply.verdict is not Verdict.ACCEPTED or isinstance(reply.read_json(), dict):
        return reply
    return replace(reply, verdict=Verdict.TRANSIENT, message=reply.message or "with a body that is no JSON object")
