// TcpClient: a blocking TCP connection of a test's own, for what no well-behaved client would send.
#pragma once

#include <string>
#include <string_view>

namespace llm_router::test {

class TcpClient {
 public:
  // Connects to 127.0.0.1; fails the test when it can't. `receive_buffer`: of the socket, in bytes; 0: usual.
  explicit TcpClient(int port, int receive_buffer = 0);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  // False when the other side takes no more.
  bool Send(std::string_view bytes);
  // Exactly that many bytes; fewer when the connection ends before, or nothing comes for 30 s.
  std::string Read(size_t count);
  // Up to and with `end`; or what came before the connection's end.
  std::string ReadTo(std::string_view end);
  // All until the other side closes.
  std::string ReadAll();
  // Resets the connection.
  void Reset();

 private:
  int fd_ = -1;
};

}  // namespace llm_router::test
