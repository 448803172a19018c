#include "router/net/sse.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "proto/fault.h"

namespace llm_router {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Of the first LF or CR from `at` on; the size of `text` when there is none. By searches of the C library,
// for every byte of every stream comes by here; in windows, so that lines which end with CR alone cost no
// search of all that follows.
size_t FindLineEnd(std::string_view text, size_t at) {
  constexpr size_t kWindow = 1024;
  for (; at < text.size(); at += kWindow) {
    const std::string_view window = text.substr(at, kWindow);
    const size_t feed = std::min(window.find('\n'), window.size());
    const size_t end = std::min(window.substr(0, feed).find('\r'), feed);
    if (end < window.size()) return at + end;
  }
  return text.size();
}

// After the line end that stands at `at`.
size_t AfterLineEnd(std::string_view text, size_t at) {
  const bool two = text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n';
  return std::min(at + (two ? 2 : 1), text.size());
}

std::string_view WithoutSpace(std::string_view value) {
  if (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

}  // namespace

absl::Status SseReader::Feed(std::string bytes) {
  buffer_.erase(0, begin_);
  line_ -= begin_;
  searched_ -= begin_;
  begin_ = 0;
  if (buffer_.empty()) {
    buffer_ = std::move(bytes);
  } else {
    buffer_.append(bytes);
  }
  SkipMark();
  const size_t end = FindEnd();
  if ((end == kNone ? buffer_.size() : end) - begin_ <= longest_) return absl::OkStatus();
  return MakeFault(Fault::kProviderBadReply,
                   fmt::format("a frame of the provider's stream is longer than {} bytes", longest_));
}

bool SseReader::Next(SseFrame& frame) {
  const size_t end = FindEnd();
  if (end == kNone) return false;
  frame = SseFrame();
  frame.raw = std::string_view(buffer_).substr(begin_, end - begin_);
  begin_ = line_ = searched_ = end;
  skip_line_feed_ = frame.raw.ends_with('\r') && end == buffer_.size();
  ReadLines(frame);
  return true;
}

void SseReader::SkipMark() {
  if (started_ || (buffer_.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(buffer_))) return;
  started_ = true;
  if (buffer_.starts_with(kByteOrderMark)) begin_ = line_ = searched_ = kByteOrderMark.size();
}

// The frame's end is after its first empty line. A CR that is the last byte so far ends a line, and the LF
// that may follow belongs to it: where lines end with CR LF it is waited for, elsewhere it is skipped when it
// comes.
size_t SseReader::FindEnd() {
  const std::string_view text = buffer_;
  if (skip_line_feed_ && begin_ < text.size()) {
    skip_line_feed_ = false;
    if (text[begin_] == '\n') searched_ = line_ = ++begin_;
  }
  while (true) {
    const size_t line_end = searched_ = FindLineEnd(text, searched_);
    if (line_end == text.size()) return kNone;
    const bool last_is_cr = text[line_end] == '\r' && line_end + 1 == text.size();
    if (line_end == line_) {
      const bool with_crlf = line_end >= begin_ + 2 && text.substr(line_end - 2, 2) == "\r\n";
      return last_is_cr && with_crlf ? kNone : AfterLineEnd(text, line_end);
    }
    if (last_is_cr) return kNone;
    line_ = searched_ = AfterLineEnd(text, line_end);
  }
}

void SseReader::ReadLines(SseFrame& frame) {
  size_t lines = 0;
  for (size_t at = 0; at < frame.raw.size();) {
    const size_t end = FindLineEnd(frame.raw, at);
    const std::string_view line = frame.raw.substr(at, end - at);
    at = AfterLineEnd(frame.raw, end);
    const size_t colon = std::min(line.find(':'), line.size());
    const std::string_view field = line.substr(0, colon);
    const std::string_view value = WithoutSpace(line.substr(std::min(colon + 1, line.size())));
    if (field == "event") frame.event = value;
    if (field != "data") continue;
    if (++lines == 1) {
      frame.data = value;
      continue;
    }
    if (lines == 2) data_ = frame.data;
    data_.append(1, '\n').append(value);
  }
  if (lines > 1) frame.data = data_;
}

std::string SseText(std::string_view event, std::string_view data) {
  std::string text;
  text.reserve(event.size() + data.size() + 20);
  if (!event.empty()) text.append("event: ").append(event).append(1, '\n');
  return text.append("data: ").append(data).append("\n\n");
}

}  // namespace llm_router
