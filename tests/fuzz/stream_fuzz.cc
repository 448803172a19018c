// A stream, whatever it is: frames are the same however it is cut; a parser and a relay give events or a
// fault of the provider; what was read is written in every dialect, and what is written reads again. The
// dialect is FUZZ_DIALECT.
#include <string>
#include <vector>

#include "proto/fault.h"
#include "router/dialects/dialect.h"
#include "router/net/sse.h"
#include "tests/fuzz/fuzz.h"

namespace llm_router {
namespace {

using fuzz::Must;

struct Kept {
  std::string event, data, raw;
  // Where kinds of line ends are mixed, a cut inside the last CR LF of a frame leaves its LF out of `raw`.
  bool operator==(const Kept& other) const { return event == other.event && data == other.data; }
};

// Empty when a frame is too long.
std::vector<Kept> FramesOf(std::string_view stream, size_t cut) {
  std::vector<Kept> frames;
  SseReader reader;
  for (const std::string_view piece : {stream.substr(0, cut), stream.substr(cut)}) {
    if (!reader.Feed(std::string(piece)).ok()) return {};
    for (SseFrame frame; reader.Next(frame);)
      frames.push_back({std::string(frame.event), std::string(frame.data), std::string(frame.raw)});
  }
  return frames;
}

bool IsProviders(const absl::Status& status) {
  return status.ok() || RowOf(FaultOf(status)).name.starts_with("provider_");
}

// What was written reads again, and as the same reply where nothing had to be changed.
void FeedWriters(const std::vector<ReplyEvent>& events, bool ended) {
  for (const Dialect* target : AllDialects()) {
    Warnings warnings;
    const auto writer = target->NewWriter({.usage = true, .keep_whole = true}, warnings);
    if (writer == nullptr) continue;
    std::string written;
    for (const ReplyEvent& event : events) written += writer->Write(event);
    if (target->name() == "text" || !ended) continue;
    const auto parser = target->NewParser();
    const auto relay = target->NewRelay({.usage = true, .keep_whole = true});
    std::vector<ReplyEvent> again;
    for (const Kept& frame : FramesOf(written, written.size() / 2)) {
      Must(parser->Read({frame.event, frame.data, frame.raw}, again).ok(), "what is written reads again");
      Must(relay->Watch({frame.event, frame.data, frame.raw}).ok(), "what is written is relayed");
    }
    Must(parser->complete() && relay->complete(), "what is written comes to its end");
    Must(target->ParseReply(relay->TakeWhole()).ok(), "the whole of what is written is a reply");
  }
}

void FeedStream(const Dialect& dialect, std::string_view stream) {
  const auto frames = FramesOf(stream, stream.size());
  const auto parser = dialect.NewParser();
  const auto relay = dialect.NewRelay({.usage = true, .keep_whole = true});
  const auto glance = dialect.NewRelay({.usage = false, .keep_whole = false});
  std::vector<ReplyEvent> events;
  bool good = true;
  for (const Kept& frame : frames) {
    const SseFrame borrowed{frame.event, frame.data, frame.raw};
    const absl::Status read = parser->Read(borrowed, events);
    const absl::Status watched = relay->Watch(borrowed);
    const absl::Status glanced = glance->Watch(borrowed);
    Must(IsProviders(read) && IsProviders(watched) && IsProviders(glanced),
         "a bad stream is its provider's fault");
    Must(glanced.ok() || !watched.ok(), "who reads less refuses no more");
    good = good && read.ok();
    if (!good) break;
  }
  (void)relay->TakeWhole();
  ReplyAssembler assembler;
  for (const ReplyEvent& event : events) assembler.Add(event);
  const ChatReply reply = assembler.Take(parser->unknown());
  for (const Dialect* target : AllDialects()) {
    Warnings warnings;
    (void)target->RenderReply(reply, warnings);
  }
  FeedWriters(events, good && parser->complete());
}

}  // namespace
}  // namespace llm_router

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llm_router;
  const std::string_view stream = fuzz::TextOf(data, size);
  const auto frames = FramesOf(stream, size);
  for (const size_t cut : {size / 3, size / 2, size > 0 ? size - 1 : 0})
    fuzz::Must(FramesOf(stream, cut) == frames, "a cut changes no frame");
  FeedStream(*FindDialect(FUZZ_DIALECT), stream);
  return 0;
}
