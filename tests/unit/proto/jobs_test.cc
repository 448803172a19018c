// Jobs, batches and the journal: what one side writes the other reads.
#include "broker_adapters/base/status.h"
#include "proto/fault.h"
#include "proto/jobs_question.h"
#include "proto/journal.h"
#include "tests/support/catch.h"

namespace llm_router::contract {
namespace {

std::string Refusal(std::string_view body) {
  const auto parsed = ParseJobsQuestion(body);
  CHECK(FaultOf(parsed.status()) == Fault::kInvalidRequest);
  return std::string(MessageOf(parsed.status()));
}

template <class Ask>
Ask RoundTrip(const Ask& ask) {
  const auto parsed = ParseJobsQuestion(ToJson(ask));
  REQUIRE(parsed.ok());
  return std::get<Ask>(*parsed);
}

TEST_CASE("a job is submitted with the body and tags of a query") {
  SubmitJob ask;
  ask.route = "openai";
  ask.body = "a \"prompt\"\nof two lines \xc3\xa9";
  ask.tags = {{"model", "m"}, {"reply-to", "results"}};
  const SubmitJob read = RoundTrip(ask);
  CHECK(read.route == ask.route);
  CHECK(read.body == ask.body);
  CHECK(read.tags == ask.tags);
}

TEST_CASE("each op about a job keeps its name and its job") {
  for (const auto op :
       {AboutJob::Op::kStatus, AboutJob::Op::kResult, AboutJob::Op::kCancel, AboutJob::Op::kRetry}) {
    const AboutJob read = RoundTrip(AboutJob(op, "job-1"));
    CHECK(read.op == op);
    CHECK(read.job == "job-1");
  }
}

TEST_CASE("a job's state, failures and reply come back as they were") {
  Job job;
  job.id = "j";
  job.route = "openai";
  job.state = JobState::kFailed;
  job.message_id = "m";
  job.batch = "b";
  job.line = 7;
  job.created_at = 1;
  job.started_at = 2;
  job.finished_at = 3;
  job.runs = 2;
  job.position = 4;
  job.failures.emplace_back(5, MakeFault(Fault::kProviderBusy, "busy", std::chrono::milliseconds(1'500)));
  JobReply& reply = job.reply.emplace();
  reply.error = "it failed";
  reply.body = "{}";
  reply.tags = {{"attempts", "2"}};
  const auto read = ParseJob(ToJsonValue(job));
  REQUIRE(read.ok());
  CHECK(ToJson(*read) == ToJson(job));
  CHECK(FaultOf(read->failures.front().why) == Fault::kProviderBusy);
  CHECK(RetryAfterOf(read->failures.front().why) == std::chrono::milliseconds(1'500));
}

TEST_CASE("a list of jobs is filtered and paged") {
  ListJobs ask;
  ask.state = JobState::kRunning;
  ask.route = "claude";
  ask.after = "j";
  ask.limit = 100;
  const ListJobs read = RoundTrip(ask);
  CHECK(read.state == ask.state);
  CHECK(read.route == ask.route);
  CHECK(read.after == ask.after);
  CHECK(read.limit == 100);
  CHECK(Refusal(R"({"op":"list","limit":101})") == "limit takes a whole number from 1 to 100");
  CHECK(Refusal(R"({"op":"list","state":"done"})") ==
        "state takes queued, running, completed, failed or cancelled");
}

TEST_CASE("a batch's options, counts, times and errors come back as they were") {
  Batch batch;
  batch.id = "b";
  batch.state = BatchState::kFailed;
  batch.options.format = BatchFormat::kText;
  batch.options.route = "openai";
  batch.options.tags = {{"model", "m"}};
  batch.options.batch_size = 10;
  batch.options.concurrency = 4;
  batch.options.metadata = {{"owner", "me"}};
  batch.counts.total = 3;
  batch.counts.completed = 1;
  batch.counts.failed = 1;
  batch.counts.running = 1;
  batch.created_at = 1;
  batch.failed_at = 2;
  batch.bad_lines = 1;
  BatchError& error = batch.errors.emplace_back();
  error.code = "invalid_json";
  error.message = "no JSON";
  error.line = 2;
  const auto read = ParseBatch(ToJsonValue(batch));
  REQUIRE(read.ok());
  CHECK(ToJson(*read) == ToJson(batch));
  CreateBatch create;
  create.options = batch.options;
  create.idempotency_key = "once";
  CHECK(ToJson(RoundTrip(create)) == ToJson(create));
  create.idempotency_key = std::string(513, 'k');
  CHECK(Refusal(ToJson(create)) == "idempotency_key takes at most 512 bytes");
}

TEST_CASE("lines are appended whole, at most half a megabyte or one line at a time") {
  AppendLines ask;
  ask.batch = "b";
  ask.first_line = 3;
  ask.data = std::string(kMostAppendBytes, 'x') + "\n";
  CHECK(RoundTrip(ask).data == ask.data);
  ask.data += "y\n";
  CHECK(Refusal(ToJson(ask)) == "data takes at most 524288 bytes of lines at a time, or one line");
  ask.data = "no end";
  CHECK(Refusal(ToJson(ask)) == "data takes whole lines, each ended by a newline");
}

TEST_CASE("a page of lines keeps each row as JSON of one line") {
  LinePage page;
  page.lines = {R"({"custom_id":"a"})", R"({"custom_id":"b"})"};
  page.next = 9;
  page.has_more = true;
  const auto read = ParseLinePage(ToJson(page));
  REQUIRE(read.ok());
  CHECK(read->lines == page.lines);
  CHECK(read->next == 9);
  CHECK(read->has_more);
  CHECK(ParseLinePage(ToJson(LinePage()))->lines.empty());
}

TEST_CASE("an unknown op is refused with those there are") {
  CHECK(Refusal(R"({"op":"submitt"})")
            .starts_with(R"(op is "submitt": there are batch_append, batch_cancel,)"));
  CHECK(Refusal("[]") == "a question to llm_jobs must be a JSON object");
  CHECK(Refusal(R"({"op":"status"})") == "job takes the id of a job");
  CHECK(Refusal(R"({"op":"batch_create","format":"text"})") ==
        "route takes the name of the route that the prompts are for");
}

TEST_CASE("the journal's questions and answers come back as they were") {
  Begin begin;
  begin.run = "r";
  begin.worker = "w";
  begin.route = "openai";
  ForeignMessage& message = begin.message.emplace();
  message.id = "m";
  message.sent_at = 5;
  message.body = "prompt";
  message.tags = {{"tenant", "acme"}};
  const auto begun = ParseJournalQuestion(ToJson(begin));
  REQUIRE(begun.ok());
  CHECK(ToJson(std::get<Begin>(*begun)) == ToJson(begin));
  begin.job = "both a job and a message";
  CHECK(FaultOf(ParseJournalQuestion(ToJson(begin)).status()) == Fault::kInvalidRequest);

  Begun busy(BeginVerdict::kBusy);
  busy.wait = std::chrono::milliseconds(250);
  CHECK(ParseBegun(ToJson(busy))->verdict == BeginVerdict::kBusy);
  CHECK(ParseBegun(ToJson(busy))->wait == busy.wait);

  Finish finish;
  finish.job = "j";
  finish.run = "r";
  finish.outcome = Outcome::kFailed;
  finish.reply.error = "no";
  finish.failure = MakeFault(Fault::kProviderFailed, "no");
  const auto finished = ParseJournalQuestion(ToJson(finish));
  REQUIRE(finished.ok());
  CHECK(ToJson(std::get<Finish>(*finished)) == ToJson(finish));
  CHECK(*ParseFinishVerdict(ToJson(FinishVerdict::kStale)) == FinishVerdict::kStale);
}

TEST_CASE("files are asked for as they are read, and come back as they were") {
  CreateFile create;
  create.filename = "in.jsonl";
  create.purpose = kBatchPurpose;
  create.bytes = 7;
  CHECK(RoundTrip(create).filename == "in.jsonl");
  CHECK(RoundTrip(create).bytes == 7);
  AppendFile append;
  append.file = "f";
  append.offset = 3;
  append.data = "a\n\xc3\xa9";
  CHECK(RoundTrip(append).offset == 3);
  CHECK(RoundTrip(append).data == append.data);
  for (const auto op : {AboutFile::Op::kStatus, AboutFile::Op::kDelete})
    CHECK(RoundTrip(AboutFile(op, "f")).op == op);
  ListFiles list;
  list.purpose = kBatchPurpose;
  list.after = "f";
  CHECK(RoundTrip(list).after == "f");
  File file;
  file.id = "f";
  file.filename = "in.jsonl";
  file.bytes = 7;
  file.stored = 3;
  file.created_at = 1;
  FilePage page;
  page.files = {file};
  page.has_more = true;
  const auto read = ParseFilePage(ToJson(page));
  REQUIRE(read.ok());
  CHECK(read->has_more);
  CHECK_FALSE(read->files[0].is_whole());
  CHECK(ToJson(read->files[0]) == ToJson(file));
}

TEST_CASE("a file that is none is refused with the field that is wrong") {
  CHECK_THAT(Refusal(R"({"op":"file_create","purpose":"vision","bytes":1})"), Catch::Contains("purpose"));
  CHECK_THAT(Refusal(R"({"op":"file_create","purpose":"batch"})"), Catch::Contains("bytes"));
  CHECK_THAT(Refusal(R"({"op":"file_create","purpose":"batch","bytes":209715201})"),
             Catch::Contains("209715200"));
  CHECK_THAT(Refusal(R"({"op":"file_append","file":"f"})"), Catch::Contains("data"));
  CHECK_THAT(Refusal(R"({"op":"file_read"})"), Catch::Contains("file"));
}

}  // namespace
}  // namespace llm_router::contract
