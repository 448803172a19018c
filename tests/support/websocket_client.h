// WebSocketClient: one blocking WebSocket, frame by frame, so that a test can break any rule of RFC 6455.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/tcp_client.h"

namespace llm_router::test {

inline constexpr int kContinuation = 0, kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

struct Frame {
  Frame() = default;
  Frame(int frame_opcode, std::string_view frame_payload, bool is_last = true)
      : opcode(frame_opcode), payload(frame_payload), fin(is_last) {}

  int opcode = -1;  // -1: the connection ended instead
  std::string payload;
  bool fin = true;
  int reserved = 0;    // the three bits
  bool masked = true;  // as every client must
  // Of a close frame; 0 when there is none.
  int close_code() const;
};

// As it goes over the wire.
std::string Encoded(const Frame& frame);

class WebSocketClient {
 public:
  // Connects and upgrades; fails the test when that is refused. `headers`: more lines, each with its CRLF.
  WebSocketClient(int port, std::string_view target, std::string_view headers = "", int receive_buffer = 0);

  void Send(const Frame& frame) { (void)tcp_.Send(Encoded(frame)); }
  void SendRaw(std::string_view bytes) { (void)tcp_.Send(bytes); }
  Frame Read();
  // The next text message, pongs and pings passed over; fails the test when something else comes.
  std::string ReadText();
  TcpClient& tcp() { return tcp_; }

 private:
  TcpClient tcp_;
};

// The opening handshake as a client sends it.
std::string Handshake(std::string_view target, std::string_view headers = "");

}  // namespace llm_router::test
