// CurlMulti: one libcurl multi handle on the loop, and the pool of its easy handles.
//
// Owned by HttpClient; loop thread only. libcurl's sockets live in an epoll set of their own, and that set is
// the one descriptor that Asio watches: a descriptor object per transfer costs three times as much.
// Destroying it closes every connection; no transfer may be running then.
#pragma once

#include <curl/curl.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <vector>

#include "broker_adapters/base/awaitable.h"

namespace llm_router {

class CurlMulti {
 public:
  // Whom a transfer's end is told.
  class Ending {
   public:
    virtual ~Ending() = default;
    virtual void OnEnd(CURLcode code) = 0;
  };

  explicit CurlMulti(Executor executor);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // A handle with the options that all calls share (curl_easy_options.h); the caller sets the others, each of
  // them every time, and gives it back by Return().
  CURL* Take();
  // Begins the transfer. `ending` is told when it ended, and must live until Return().
  CURLMcode Start(CURL* easy, Ending& ending);
  // Goes on with one whose write callback paused it.
  void Continue(CURL* easy);
  // Aborts the transfer if it is still running: its connection is closed.
  void Return(CURL* easy);

 private:
  // What our epoll set and libcurl say of one descriptor: 0, or EPOLLIN | EPOLLOUT.
  struct Socket {
    bool own = false;  // a connection's, opened by Open(); the others are the resolver's
    uint32_t wanted = 0;
    uint32_t registered = 0;
  };

  static int OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int OnTimer(CURLM*, long timeout_ms, void* self);
  static curl_socket_t Open(void* self, curlsocktype, curl_sockaddr* address);
  static int Close(void* self, curl_socket_t fd);

  Socket& At(int fd);
  void Register(int fd, uint32_t events);
  void Watch();
  void WatchAgain();
  void HandleEvents();
  void HandleEvent(int fd, uint32_t events);
  void Settle();
  void ReapEnded();
  void ArmTimer();

  Executor executor_;
  boost::asio::posix::basic_stream_descriptor<Executor> epoll_;
  Timer timer_;
  TimePoint due_ = TimePoint::max();        // when libcurl wants to be called
  TimePoint armed_for_ = TimePoint::max();  // when timer_ fires; never later than due_
  std::vector<Socket> sockets_;             // by descriptor
  std::vector<CURL*> idle_;
  CURLSH* share_;
  CURLM* multi_;
  // Asio may run a handler that was already due when this object went; it asks here first.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace llm_router
