// Server-sent events: their frames, read from bytes as they arrive, and written. Pure; any thread.
//
// Of the format of https://html.spec.whatwg.org/multipage/server-sent-events.html what chat APIs use:
// `event`, `data` and comments; lines end with LF, CR LF or CR; a byte order mark at the start is skipped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace llm_router {

// Borrowed from the reader that gave it, until its next call.
struct SseFrame {
  std::string_view event;  // empty: none was named
  std::string_view data;   // lines joined by LF; empty: a comment, or nothing to dispatch
  std::string_view raw;    // as it came, with the empty line that ends it
};

class SseReader {
 public:
  // A frame longer than `longest` bytes is refused, at the latest with the Feed after it passed them.
  explicit SseReader(size_t longest = 8 * 1024 * 1024) : longest_(longest) {}

  // Adds what arrived. Fault provider_bad_reply when a frame is too long.
  [[nodiscard]] absl::Status Feed(std::string bytes);
  // The next whole frame into `frame`; false: none is whole yet. To be asked until then after each Feed.
  bool Next(SseFrame& frame);
  // Whether bytes of an unfinished frame are left: at the end of a stream, it was cut.
  bool has_rest() const { return begin_ < buffer_.size(); }

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  void SkipMark();
  size_t FindEnd();
  void ReadLines(SseFrame& frame);

  size_t longest_;
  std::string buffer_;
  size_t begin_ = 0;             // of the frame to come
  size_t line_ = 0;              // of it, the line to come; no frame ends before
  size_t searched_ = 0;          // no line ends from line_ to here
  bool started_ = false;         // past a byte order mark
  bool skip_line_feed_ = false;  // of a CR that ended the frame before
  std::string data_;             // of a frame with several data lines
};

// "event: EVENT\ndata: DATA\n\n", without the first line where `event` is empty. `data` has no line break.
std::string SseText(std::string_view event, std::string_view data);

}  // namespace llm_router
