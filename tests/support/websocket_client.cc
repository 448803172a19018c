#include "tests/support/websocket_client.h"

#include <array>

#include "tests/support/catch.h"

namespace llm_router::test {
namespace {

constexpr std::array<char, 4> kMask = {0x12, 0x34, 0x56, 0x78};

void AppendNumber(std::string& bytes, uint64_t number, int size) {
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(number >> (8 * i)));
}

uint64_t NumberOf(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

int Frame::close_code() const {
  return payload.size() < 2 ? 0 : static_cast<int>(NumberOf(std::string_view(payload).substr(0, 2)));
}

std::string Encoded(const Frame& frame) {
  std::string bytes;
  bytes.push_back(static_cast<char>((frame.fin ? 0x80 : 0) | frame.reserved << 4 | frame.opcode));
  const char mask_bit = static_cast<char>(frame.masked ? 0x80 : 0);
  const size_t size = frame.payload.size();
  if (size < 126) {
    bytes.push_back(static_cast<char>(mask_bit | static_cast<char>(size)));
  } else if (size < 65536) {
    bytes.push_back(static_cast<char>(mask_bit | 126));
    AppendNumber(bytes, size, 2);
  } else {
    bytes.push_back(static_cast<char>(mask_bit | 127));
    AppendNumber(bytes, size, 8);
  }
  if (!frame.masked) return bytes + frame.payload;
  bytes.append(kMask.data(), kMask.size());
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(frame.payload[i] ^ kMask[i % 4]));
  return bytes;
}

std::string Handshake(std::string_view target, std::string_view headers) {
  return "GET " + std::string(target) +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(headers) + "\r\n";
}

WebSocketClient::WebSocketClient(int port, std::string_view target, std::string_view headers,
                                 int receive_buffer)
    : tcp_(port, receive_buffer) {
  REQUIRE(tcp_.Send(Handshake(target, headers)));
  const std::string reply = tcp_.ReadTo("\r\n\r\n");
  INFO(reply);
  REQUIRE(reply.starts_with("HTTP/1.1 101 "));
  // RFC 6455, 1.3: the answer to that key.
  REQUIRE(reply.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
}

Frame WebSocketClient::Read() {
  Frame frame;
  const std::string head = tcp_.Read(2);
  if (head.size() < 2) return frame;
  const auto first = static_cast<unsigned char>(head[0]);
  const auto second = static_cast<unsigned char>(head[1]);
  frame.opcode = first & 0x0F;
  frame.fin = (first & 0x80) != 0;
  frame.reserved = (first & 0x70) >> 4;
  frame.masked = (second & 0x80) != 0;
  uint64_t size = second & 0x7F;
  if (size == 126) size = NumberOf(tcp_.Read(2));
  if (size == 127) size = NumberOf(tcp_.Read(8));
  frame.payload = tcp_.Read(size);
  return frame;
}

std::string WebSocketClient::ReadText() {
  Frame frame = Read();
  while (frame.opcode == kPong || frame.opcode == kPing) frame = Read();
  INFO("payload: " << frame.payload);
  REQUIRE(frame.opcode == kText);
  return frame.payload;
}

}  // namespace llm_router::test
