// An event stream as it comes, frame by frame, over a connection of its own on the test's loop.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "broker_adapters/base/awaitable.h"
#include "router/net/http_client.h"

namespace llm_router::test {

class StreamReader {
 public:
  StreamReader(Executor executor, int port) : socket_(executor), port_(port) {}

  // Sends the call, whose URL's path counts, and reads the head of the reply.
  Awaitable<std::string> Open(const HttpCall& call) {
    const boost::asio::ip::tcp::endpoint server(boost::asio::ip::make_address("127.0.0.1"),
                                                static_cast<unsigned short>(port_));
    (void)co_await socket_.async_connect(server, kUseTuple);
    const std::string path = call.url.substr(call.url.find('/', 8));
    std::string request = "POST " + path + " HTTP/1.1\r\nhost: x\r\n";
    for (const auto& [name, value] : call.headers) request += name + ": " + value + "\r\n";
    request += "content-length: " + std::to_string(call.body.size()) + "\r\n\r\n" + call.body;
    (void)co_await boost::asio::async_write(socket_, boost::asio::buffer(request), kUseTuple);
    while (raw_.find("\r\n\r\n") == std::string::npos && co_await ReadMore()) continue;
    std::string head = raw_.substr(0, raw_.find("\r\n\r\n") + 4);
    raw_.erase(0, head.size());
    co_return head;
  }

  // The next frame without the line break behind it; "" when there is none any more.
  Awaitable<std::string> Next() {
    while (true) {
      TakeChunks();
      if (const auto end = events_.find("\n\n"); end != std::string::npos) {
        std::string frame = events_.substr(0, end);
        events_.erase(0, end + 2);
        co_return frame;
      }
      if (ended_ || !co_await ReadMore()) co_return "";
    }
  }

  // Reads until a frame holds `part`, and returns that frame.
  Awaitable<std::string> NextWith(std::string part) {
    std::string frame = co_await Next();
    while (!frame.empty() && frame.find(part) == std::string::npos) frame = co_await Next();
    co_return frame;
  }

  // Whether the stream came to its end in order, not by a broken connection.
  bool ended() const { return ended_; }
  void Close() { socket_.close(); }

 private:
  Awaitable<bool> ReadMore() {
    std::array<char, 4096> bytes;
    const auto [error, count] = co_await socket_.async_read_some(boost::asio::buffer(bytes), kUseTuple);
    raw_.append(bytes.data(), count);
    co_return !error;
  }

  void TakeChunks() {
    for (auto line = raw_.find("\r\n"); line != std::string::npos; line = raw_.find("\r\n")) {
      const size_t size = std::stoul(raw_.substr(0, line), nullptr, 16);
      if (raw_.size() < line + size + 4) return;
      if (size == 0) ended_ = true;
      events_ += raw_.substr(line + 2, size);
      raw_.erase(0, line + size + 4);
    }
  }

  boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor> socket_;
  int port_;
  std::string raw_;     // with the framing of chunks
  std::string events_;  // without
  bool ended_ = false;
};

// The frames of a whole stream, in order; each without the line break behind it.
inline std::vector<std::string> FramesOf(std::string_view body) {
  std::vector<std::string> frames;
  for (size_t end = body.find("\n\n"); end != std::string_view::npos; end = body.find("\n\n")) {
    frames.emplace_back(body.substr(0, end));
    body.remove_prefix(end + 2);
  }
  if (!body.empty()) frames.emplace_back(body);
  return frames;
}

// The JSON behind "data: "; null of "[DONE]".
inline nlohmann::json DataOf(const std::string& frame) {
  const auto at = frame.find("data: ");
  const std::string data = at == std::string::npos ? "" : frame.substr(at + 6);
  return data == "[DONE]" ? nlohmann::json() : nlohmann::json::parse(data, nullptr, false);
}

}  // namespace llm_router::test
