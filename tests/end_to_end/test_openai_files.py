"""OpenAI's files and batches by its own SDK: any route, every endpoint as a line's url."""

import json

import openai
import pytest

from harness import eventually
from http_cases import ROUTES, SPOKEN, jsonl

assert ROUTES  # the cluster's


@pytest.fixture
def sdk(cluster):
    with openai.OpenAI(base_url=f"{cluster.http}/v1", api_key="unused", max_retries=0) as made:
        yield made


def line(name, body, url="/v1/chat/completions"):
    return {"custom_id": name, "method": "POST", "url": url, "body": body}


def chat(name, model, text="Hello"):
    return line(name, {"model": model, "messages": [{"role": "user", "content": text}]})


def upload(sdk, rows):
    return sdk.files.create(file=("lines.jsonl", jsonl(rows)), purpose="batch")


def run(sdk, rows, endpoint="/v1/chat/completions", **more):
    batch = sdk.batches.create(
        input_file_id=upload(sdk, rows).id, endpoint=endpoint, completion_window="24h", **more
    )
    assert (batch.object, batch.endpoint, batch.completion_window) == ("batch", endpoint, "24h")
    over = ("completed", "failed", "expired", "cancelled")
    return eventually(lambda: (now := sdk.batches.retrieve(batch.id)).status in over and now, f"batch {batch.id}")


def rows_of(sdk, file_id):
    lines = sdk.files.content(file_id).text.splitlines() if file_id else []
    return {row["custom_id"]: row for row in map(json.loads, lines)}


# ---- files ----


def test_a_file_is_kept_listed_read_and_deleted(sdk):
    rows = [chat("a", "gpt")]
    file = upload(sdk, rows)
    assert (file.object, file.purpose, file.filename, file.bytes) == ("file", "batch", "lines.jsonl", len(jsonl(rows)))
    assert sdk.files.retrieve(file.id).id == file.id
    assert file.id in [one.id for one in sdk.files.list()]
    assert sdk.files.content(file.id).read() == jsonl(rows)
    assert sdk.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        sdk.files.retrieve(file.id)


def test_files_are_listed_in_pages(sdk):
    made = {upload(sdk, [chat(str(i), "gpt")]).id for i in range(5)}
    page = sdk.files.list(limit=2)
    assert len(page.data) == 2 and page.has_more
    assert made <= {one.id for one in sdk.files.list(limit=2)}  # the SDK asks for page after page


def test_a_file_nobody_made_is_not_found(sdk):
    with pytest.raises(openai.NotFoundError):
        sdk.files.content("file-nobody-made")


# ---- batches ----


def test_a_batch_answers_every_line_by_its_own_model(sdk):
    rows = [chat(f"line-{i}", model, f"question {i}") for i, model in enumerate(["gpt", "claude"] * 5)]
    batch = run(sdk, rows, metadata={"who": "acme"})
    assert batch.status == "completed" and batch.metadata == {"who": "acme"}
    counts = batch.request_counts
    assert (counts.total, counts.completed, counts.failed) == (10, 10, 0)
    found = rows_of(sdk, batch.output_file_id)
    assert set(found) == {row["custom_id"] for row in rows}
    for i, model in enumerate(["gpt", "claude"] * 5):
        response = found[f"line-{i}"]["response"]
        assert response["status_code"] == 200 and response["request_id"]
        text = response["body"]["choices"][0]["message"]["content"]
        assert SPOKEN[model] in text and f"question {i}" in text
    assert batch.created_at <= batch.in_progress_at <= batch.completed_at
    assert batch.id in [one.id for one in sdk.batches.list()]


def test_lines_of_embeddings_and_completions_are_answered(sdk):
    embedding = run(sdk, [line("e", {"model": "embed", "input": "x"}, "/v1/embeddings")], "/v1/embeddings")
    body = rows_of(sdk, embedding.output_file_id)["e"]["response"]["body"]
    assert len(body["data"][0]["embedding"]) == 1536
    completion = run(sdk, [line("c", {"model": "gpt", "prompt": "x"}, "/v1/completions")], "/v1/completions")
    assert rows_of(sdk, completion.output_file_id)["c"]["response"]["body"]["choices"][0]["text"]


def test_a_line_that_fails_goes_to_the_file_of_errors(sdk):
    batch = run(sdk, [chat("good", "gpt"), chat("bad", "gpt-rejected")])
    assert batch.status == "completed", batch.errors
    assert (batch.request_counts.completed, batch.request_counts.failed) == (1, 1)
    assert set(rows_of(sdk, batch.output_file_id)) == {"good"}
    failed = rows_of(sdk, batch.error_file_id)["bad"]
    assert failed["response"]["status_code"] == 400


@pytest.mark.parametrize(
    "rows",
    [[{"custom_id": "a"}], [chat("same", "gpt"), chat("same", "gpt")], [line("a", {}, "/v1/nothing")]],
    ids=["no request", "twice the same id", "another url"],
)
def test_a_file_that_is_no_batch_fails_and_says_which_line(sdk, rows):
    batch = run(sdk, rows)
    assert batch.status == "failed"
    assert batch.errors.data[0].message and batch.errors.data[0].line is not None


def test_a_batch_of_a_file_that_is_not_there_is_refused(sdk):
    with pytest.raises((openai.BadRequestError, openai.NotFoundError)):
        sdk.batches.create(input_file_id="file-none", endpoint="/v1/chat/completions", completion_window="24h")


def test_a_batch_is_cancelled_and_keeps_what_it_has(sdk):
    file = upload(sdk, [chat("quick", "gpt")] + [chat(f"slow-{i}", "slow") for i in range(3)])
    batch = sdk.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    eventually(lambda: sdk.batches.retrieve(batch.id).request_counts.completed == 1, "the quick line's answer")
    cancelled = sdk.batches.cancel(batch.id)
    assert cancelled.status in ("cancelling", "cancelled")
    eventually(lambda: sdk.batches.retrieve(batch.id).status == "cancelled", "the batch to be cancelled")
    assert set(rows_of(sdk, sdk.batches.retrieve(batch.id).output_file_id)) == {"quick"}
