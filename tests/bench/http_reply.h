// HttpReplyReader: one reply of a chat endpoint as its bytes come, with no more understanding than a load
// needs. Pure.
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>

namespace llm_router::bench {

class HttpReplyReader {
 public:
  void Take(std::string_view bytes) {
    raw_.append(bytes);
    if (!in_body_ && !ReadHead()) return;
    chunked_ ? ReadChunks() : ReadPlain();
  }

  bool IsWhole() const { return whole_; }
  // Whether what came is none of the simulator's answers, whole or streamed.
  bool is_broken() const { return !has_word_ || (chunked_ && frames_ > 0 && !done_); }
  bool has_word() const { return has_word_; }
  int status() const { return status_; }
  size_t frames() const { return frames_; }

 private:
  bool ReadHead() {
    const auto end = raw_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    std::string head = raw_.substr(0, end + 2);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
    status_ = std::atoi(head.c_str() + std::min<size_t>(head.size(), 9));
    chunked_ = head.find("transfer-encoding: chunked") != std::string::npos;
    constexpr std::string_view key = "\r\ncontent-length: ";
    if (const auto at = head.find(key); at != std::string::npos)
      left_ = static_cast<size_t>(std::atoll(head.c_str() + at + key.size()));
    raw_.erase(0, end + 4);
    in_body_ = true;
    return true;
  }

  void ReadPlain() {
    Look(raw_);
    left_ -= std::min(left_, raw_.size());
    raw_.clear();
    whole_ = left_ == 0;
  }

  // Where chunks end may be anywhere in a frame.
  void ReadChunks() {
    size_t at = 0;
    while (!whole_) {
      const auto line = raw_.find("\r\n", at);
      if (line == std::string::npos) break;
      size_t size = 0;
      std::from_chars(raw_.data() + at, raw_.data() + line, size, 16);
      if (raw_.size() < line + 2 + size + 2) break;
      Look(std::string_view(raw_).substr(line + 2, size));
      at = line + 2 + size + 2;
      whole_ = size == 0;
    }
    raw_.erase(0, at);
  }

  void Look(std::string_view text) {
    // What is looked for may lie across two pieces.
    const size_t kept = tail_.size();
    tail_.append(text);
    for (size_t at = tail_.find("\n\n", kept == 0 ? 0 : kept - 1); at != std::string::npos;
         at = tail_.find("\n\n", at + 2)) {
      ++frames_;
    }
    has_word_ = has_word_ || tail_.find("[simulated") != std::string::npos;
    done_ = done_ || tail_.find("[DONE]") != std::string::npos;
    constexpr size_t kLookBack = 16;
    if (tail_.size() > kLookBack) tail_.erase(0, tail_.size() - kLookBack);
  }

  std::string raw_;   // not read yet
  std::string tail_;  // of the body so far
  bool in_body_ = false;
  bool chunked_ = false;
  bool whole_ = false;
  bool has_word_ = false;
  bool done_ = false;
  int status_ = 0;
  size_t left_ = 0;
  size_t frames_ = 0;
};

}  // namespace llm_router::bench
