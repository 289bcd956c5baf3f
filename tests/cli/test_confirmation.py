"""The plan and the question before anything is sent."""

from __future__ import annotations


def test_the_plan_is_shown_before_the_question_and_no_sends_nothing(ask, sandbox):
    assert "30 customers" in ask.shown
    assert "31 requests" in ask.shown
    assert "expected end" in ask.shown
    assert "cannot be undone" in ask.shown
    assert not sandbox.requests
    ask.type("n\n")
    assert ask.finish() == 3
    assert "Nothing was sent" in ask.shown
    assert not sandbox.requests


def test_an_interrupted_question_says_that_nothing_was_sent(ask, sandbox):
    ask.type("\x04")
    assert ask.finish() == 130
    assert "Interrupted: nothing was sent" in ask.shown
    assert "Error" not in ask.shown
    assert not sandbox.requests
