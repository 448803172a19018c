"""Keys as the SDKs of OpenAI and Anthropic know them: what is wrong with one is the error that each has for it."""

import anthropic
import openai
import pytest


def ask_openai(keyed, key, model, stream):
    sdk = openai.OpenAI(base_url=f"{keyed.http}/v1", api_key=key, max_retries=0)
    return sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}], stream=stream)


def ask_anthropic(keyed, key, model, stream):
    sdk = anthropic.Anthropic(base_url=keyed.http, api_key=key, max_retries=0)
    messages = [{"role": "user", "content": "Hello"}]
    return sdk.messages.create(model=model, max_tokens=100, messages=messages, stream=stream)


every_sdk = pytest.mark.parametrize("ask, errors", [(ask_openai, openai), (ask_anthropic, anthropic)], ids=["openai", "anthropic"])
every_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def error_in(raised):
    """The error's own object: OpenAI's SDK takes it out of its body."""
    body = raised.value.body
    return body.get("error", body)


@every_way
@every_sdk
def test_a_wrong_key_is_an_authentication_error(keyed, ask, errors, stream):
    with pytest.raises(errors.AuthenticationError) as raised:
        ask(keyed, "llmr_wrong", "openai", stream)
    assert raised.value.status_code == 401
    assert error_in(raised)["type"] == "authentication_error"
    assert "llmr_wrong" not in str(raised.value)


@every_way
@every_sdk
def test_a_key_without_the_route_is_denied_it(keyed, ask, errors, stream):
    asked = keyed.simulator.counters()["total"]
    with pytest.raises(errors.PermissionDeniedError) as raised:
        ask(keyed, keyed.keys["narrow"], "claude", stream)
    assert raised.value.status_code == 403
    assert error_in(raised)["type"] == "permission_error"
    assert keyed.simulator.counters()["total"] == asked


@pytest.mark.parametrize("ask", [ask_openai, ask_anthropic])
def test_a_key_with_the_route_is_answered(keyed, ask):
    reply = ask(keyed, keyed.keys["narrow"], "openai", False)
    assert "[simulated openai gpt-4o-mini]" in str(reply)
