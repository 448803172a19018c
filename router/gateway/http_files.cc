#include "router/gateway/http_files.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "broker_adapters/base/status.h"
#include "broker_adapters/base/utf8.h"
#include "proto/fault.h"
#include "proto/file.h"
#include "proto/job.h"
#include "router/dialects/json_body.h"
#include "router/gateway/http_answer.h"
#include "router/gateway/http_batches.h"
#include "router/gateway/http_jobs.h"
#include "router/gateway/http_multipart.h"
#include "router/gateway/http_page.h"

namespace llm_router {
namespace {

using contract::AboutFile;
using contract::File;

constexpr std::string_view kFilePrefix = "file-";
constexpr std::string_view kOutput = "-output";
constexpr std::string_view kErrors = "-errors";
constexpr size_t kPieceBytes = size_t{256} * 1024;

Json Shown(const File& file) {
  return {{"id", file.id},
          {"object", "file"},
          {"bytes", file.bytes},
          {"created_at", file.created_at},
          {"filename", file.filename},
          {"purpose", file.purpose},
          {"status", "processed"}};
}

Awaitable<absl::StatusOr<File>> AskFile(GatewayCall& call, std::string question) {
  CO_ASSIGN_OR_RETURN(const std::string body, co_await AskJobs(call, std::move(question)));
  CO_ASSIGN_OR_RETURN(const contract::Json json, contract::ParseObject(body, "a file"));
  co_return contract::ParseFile(json);
}

struct Upload {
  Upload() = default;

  contract::CreateFile file;
  std::string_view content;
};

absl::StatusOr<Upload> ReadUpload(const HttpRequest& request) {
  ASSIGN_OR_RETURN(const auto parts, ReadMultipart(HeaderOr(request.headers, "content-type"), request.body));
  Upload upload;
  bool has_file = false;
  for (const FormPart& part : parts) {
    if (part.name == "purpose") upload.file.purpose = part.content;
    if (part.name != "file") continue;
    has_file = true;
    upload.file.filename = ToUtf8(part.filename.empty() ? "file" : part.filename);
    upload.content = part.content;
  }
  if (!has_file || upload.content.empty())
    return MakeFault(Fault::kInvalidRequest, "the form needs a part named file, which is not empty");
  if (static_cast<int64_t>(upload.content.size()) > contract::kMostFileBytes)
    return MakeFault(Fault::kTooLarge, "a file has at most 200 MB: split it");
  if (const auto bad = FirstBadUtf8(upload.content))
    return MakeFault(Fault::kInvalidRequest, fmt::format("the file is not UTF-8 at byte {}", *bad + 1));
  upload.file.bytes = static_cast<int64_t>(upload.content.size());
  return upload;
}

// As much as one append takes, whole characters.
std::string_view NextPiece(std::string_view content) {
  size_t end = std::min(kPieceBytes, content.size());
  while (end < content.size() && (static_cast<unsigned char>(content[end]) & 0xC0) == 0x80) --end;
  return content.substr(0, end);
}

Awaitable<absl::StatusOr<File>> Keep(GatewayCall& call) {
  CO_ASSIGN_OR_RETURN(Upload upload, ReadUpload(call.request));
  CO_ASSIGN_OR_RETURN(File file, co_await AskFile(call, ToJson(upload.file)));
  while (!upload.content.empty()) {
    const std::string_view piece = NextPiece(upload.content);
    contract::AppendFile ask;
    ask.file = file.id;
    ask.offset = file.stored;
    ask.data = piece;
    auto appended = co_await AskFile(call, ToJson(ask));
    if (!appended.ok()) {
      (void)co_await AskJobs(call, ToJson(AboutFile(AboutFile::Op::kDelete, file.id)));
      co_return appended;
    }
    file = *std::move(appended);
    upload.content.remove_prefix(piece.size());
  }
  co_return file;
}

// Calls `take` with each page of a batch's lines.
template <class Take>
Awaitable<absl::Status> EachPage(GatewayCall& call, const BatchFile& file, Take take) {
  contract::ReadLines ask;
  ask.batch = file.batch;
  ask.which = file.which;
  for (bool has_more = true; has_more;) {
    CO_ASSIGN_OR_RETURN(const std::string body, co_await AskJobs(call, ToJson(ask)));
    CO_ASSIGN_OR_RETURN(const contract::LinePage page, contract::ParseLinePage(body));
    std::string text;
    for (const std::string& line : page.lines) text.append(line).push_back('\n');
    CO_RETURN_IF_ERROR(co_await take(std::move(text)));
    has_more = page.has_more && page.next > ask.after;
    ask.after = page.next;
  }
  co_return absl::OkStatus();
}

Awaitable<absl::StatusOr<File>> Find(GatewayCall& call) {
  const auto of_batch = BatchFileNamed(call.id);
  if (!of_batch) co_return co_await AskFile(call, ToJson(AboutFile(AboutFile::Op::kStatus, call.id)));
  CO_ASSIGN_OR_RETURN(const contract::Batch batch, co_await FindBatch(call, of_batch->batch));
  File file;
  file.id = call.id;
  file.filename = fmt::format("{}.jsonl", call.id);
  file.purpose = "batch_output";
  file.created_at = std::max({batch.completed_at, batch.expired_at, batch.cancelled_at, batch.created_at});
  const auto count = [&file](std::string text) -> Awaitable<absl::Status> {
    file.bytes += static_cast<int64_t>(text.size());
    co_return absl::OkStatus();
  };
  CO_RETURN_IF_ERROR(co_await EachPage(call, *of_batch, count));
  co_return file;
}

// Content on its way out. The head goes with the first piece: until then a failure is an ordinary one.
class Content {
 public:
  explicit Content(GatewayCall& call) : call_(call) {}

  Awaitable<absl::Status> Write(std::string text) {
    if (std::exchange(has_head_, true)) co_return co_await call_.responder.Write(std::move(text));
    HttpHeaders headers = UsualHeaders(call_);
    headers.emplace_back("content-type", "application/jsonl");
    co_return co_await call_.responder.SendHead(200, std::move(headers), std::move(text));
  }

  Awaitable<void> End(absl::Status why) {
    if (!has_head_ && !why.ok()) co_return co_await SendMissing(call_, why);
    if (why.ok()) why = co_await Write({});
    if (why.ok()) (void)co_await call_.responder.Finish();  // else the client sees a broken reply
  }

 private:
  GatewayCall& call_;
  bool has_head_ = false;
};

Awaitable<absl::Status> WriteParts(GatewayCall& call, Content& content) {
  contract::ReadFile ask;
  ask.file = call.id;
  contract::FilePart part;
  do {
    CO_ASSIGN_OR_RETURN(const std::string body, co_await AskJobs(call, ToJson(ask)));
    CO_ASSIGN_OR_RETURN(part, contract::ParseFilePart(body));
    ask.offset = part.next;
    CO_RETURN_IF_ERROR(co_await content.Write(std::move(part.data)));
  } while (part.has_more);
  co_return absl::OkStatus();
}

absl::StatusOr<contract::ListFiles> ReadListing(const HttpRequest& request) {
  constexpr PageBounds kBounds{.usual = 20, .most = contract::kMostListed, .after = "after"};
  ASSIGN_OR_RETURN(const PageAsked page, ReadPage(request.query, kBounds));
  contract::ListFiles ask;
  ask.limit = page.limit;
  ask.after = page.after;
  ask.purpose = page.purpose;
  return ask;
}

}  // namespace

std::string BatchFileId(const BatchFile& file) {
  const bool output = file.which == contract::ReadLines::Which::kCompleted;
  return fmt::format("{}{}{}", kFilePrefix, file.batch, output ? kOutput : kErrors);
}

std::optional<BatchFile> BatchFileNamed(std::string_view id) {
  BatchFile file;
  if (!id.starts_with(kFilePrefix)) return std::nullopt;
  id.remove_prefix(kFilePrefix.size());
  if (id.ends_with(kErrors)) file.which = contract::ReadLines::Which::kFailed;
  if (!id.ends_with(kErrors) && !id.ends_with(kOutput)) return std::nullopt;
  file.batch = id.substr(0, id.size() - kOutput.size());
  return file;
}

Awaitable<void> UploadFile(GatewayCall& call) {
  const auto file = co_await Keep(call);
  if (!file.ok()) co_return co_await SendFailure(call, file.status());
  co_await SendJson(call, 200, DumpJson(Shown(*file)));
}

Awaitable<void> ListFiles(GatewayCall& call) {
  const auto ask = ReadListing(call.request);
  if (!ask.ok()) co_return co_await SendFailure(call, ask.status());
  const auto body = co_await AskJobs(call, ToJson(*ask));
  const auto page = body.ok() ? contract::ParseFilePage(*body) : body.status();
  if (!page.ok()) co_return co_await SendFailure(call, page.status());
  Json data = Json::array();
  for (const File& file : page->files) data.push_back(Shown(file));
  co_await SendJson(call, 200, ListBody(std::move(data), page->has_more));
}

Awaitable<void> GetFile(GatewayCall& call) {
  const auto file = co_await Find(call);
  if (!file.ok()) co_return co_await SendMissing(call, file.status());
  co_await SendJson(call, 200, DumpJson(Shown(*file)));
}

Awaitable<void> GetFileContent(GatewayCall& call) {
  Content content(call);
  const auto of_batch = BatchFileNamed(call.id);
  const auto write = [&content](std::string text) { return content.Write(std::move(text)); };
  co_await content.End(of_batch ? co_await EachPage(call, *of_batch, write)
                                : co_await WriteParts(call, content));
}

Awaitable<void> DeleteFile(GatewayCall& call) {
  const auto file = co_await AskFile(call, ToJson(AboutFile(AboutFile::Op::kDelete, call.id)));
  if (!file.ok()) co_return co_await SendMissing(call, file.status());
  co_await SendJson(call, 200, DumpJson({{"id", file->id}, {"object", "file"}, {"deleted", true}}));
}

}  // namespace llm_router
