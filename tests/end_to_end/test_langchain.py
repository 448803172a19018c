"""LangChain's ChatOpenAI and ChatAnthropic, unmodified, each to providers of both dialects."""

import pydantic
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from http_cases import CALL_OSLO, PNG, ROUTES, SPOKEN, TALKERS

assert ROUTES  # the cluster's


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"8 C in {city}"


class Place(pydantic.BaseModel):
    """A place."""

    city: str


def openai_chat(cluster, model):
    return ChatOpenAI(model=model, base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0)


def anthropic_chat(cluster, model):
    return ChatAnthropic(model=model, base_url=cluster.http, api_key="unused", max_retries=0, max_tokens=1000)


@pytest.fixture(params=[openai_chat, anthropic_chat], ids=["openai", "anthropic"])
def chat(request, cluster):
    return lambda model: request.param(cluster, model)


every_talker = pytest.mark.parametrize("model", TALKERS)


@every_talker
def test_it_is_answered(chat, model):
    reply = chat(model).invoke("Hello")
    assert SPOKEN[model] in reply.text and '"Hello"' in reply.text
    assert reply.usage_metadata["total_tokens"] > 0


@every_talker
def test_it_streams(chat, model):
    pieces = [chunk.text for chunk in chat(model).stream("Hello")]
    assert SPOKEN[model] in "".join(pieces)
    assert len([piece for piece in pieces if piece]) > 6


@every_talker
def test_it_calls_a_tool_and_hears_its_result(chat, model):
    bound = chat(model).bind_tools([get_weather])
    messages = [HumanMessage(CALL_OSLO)]
    called = bound.invoke(messages)
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Oslo"})
    messages += [called, ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])]
    assert 'The tool said: "8 C in Oslo"' in bound.invoke(messages).text


@every_talker
def test_it_puts_a_streamed_tool_call_together(chat, model):
    whole = None
    for chunk in chat(model).bind_tools([get_weather]).stream(CALL_OSLO):
        whole = chunk if whole is None else whole + chunk
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("get_weather", {"city": "Oslo"})]


@every_talker
def test_it_answers_in_a_schema(chat, model):
    assert chat(model).with_structured_output(Place).invoke("Oslo") == Place(city="Oslo")


@every_talker
def test_it_shows_an_image(chat, model):
    image = {"type": "image", "base64": PNG, "mime_type": "image/png"}
    message = HumanMessage(content=[{"type": "text", "text": "look"}, image])
    assert "look [image image/png 16 bytes #" in chat(model).invoke([message]).text


def test_its_embeddings_are_vectors(cluster):
    embeddings = OpenAIEmbeddings(
        model="embed", base_url=f"{cluster.http}/v1", api_key="unused", check_embedding_ctx_length=False, dimensions=16
    )
    first, second = embeddings.embed_documents(["one", "two"])
    assert len(first) == len(second) == 16 and first != second
    assert embeddings.embed_query("one") == pytest.approx(first)
