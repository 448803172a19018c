#include "router/net/curl_multi.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstdlib>

#include "router/net/curl_easy_options.h"

namespace llm_router {
namespace {

constexpr size_t kIdleHandles = 1024;
constexpr long kKeptConnections = 4096;  // fewer than are in flight, and each call opens a new one
constexpr size_t kEventsPerTurn = 256;

uint32_t ToEvents(int what) {
  switch (what) {
    case CURL_POLL_IN:
      return EPOLLIN;
    case CURL_POLL_OUT:
      return EPOLLOUT;
    case CURL_POLL_INOUT:
      return EPOLLIN | EPOLLOUT;
    default:
      return 0;
  }
}

// Of an error libcurl learns the cause by trying what it wanted to do.
int ToSelectBits(uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  int bits = 0;
  if (broken || (events & EPOLLIN) != 0) bits |= CURL_CSELECT_IN;
  if (broken || (events & EPOLLOUT) != 0) bits |= CURL_CSELECT_OUT;
  return bits;
}

int MakeEpoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) std::abort();  // no descriptors left at start: nothing would work
  return fd;
}

}  // namespace

CurlMulti::CurlMulti(Executor executor)
    : executor_(executor), epoll_(executor, MakeEpoll()), timer_(executor) {
  InitCurl();
  // Connections and names are shared by the multi handle; TLS sessions are not.
  share_ = curl_share_init();
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnections);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  Watch();
}

// Closing connections comes back through Close(), so the members are still needed until all handles are gone.
CurlMulti::~CurlMulti() {
  *alive_ = false;
  curl_multi_cleanup(multi_);
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  curl_share_cleanup(share_);
}

CURL* CurlMulti::Take() {
  if (!idle_.empty()) {
    CURL* easy = idle_.back();
    idle_.pop_back();
    return easy;
  }
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return nullptr;
  SetSharedOptions(easy);
  curl_easy_setopt(easy, CURLOPT_SHARE, share_);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlMulti::Open);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::Close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return easy;
}

CURLMcode CurlMulti::Start(CURL* easy, Ending& ending) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &ending);
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  if (code == CURLM_OK) Settle();
  return code;
}

void CurlMulti::Continue(CURL* easy) {
  curl_easy_pause(easy, CURLPAUSE_CONT);
  Settle();
}

void CurlMulti::Return(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);  // does nothing to one that ended
  if (idle_.size() < kIdleHandles) {
    idle_.push_back(easy);
  } else {
    curl_easy_cleanup(easy);
  }
  ArmTimer();
}

// A connection that rests in libcurl's pool stays registered for reading, since the next call will want just
// that: two system calls saved per call. If it becomes readable meanwhile, HandleEvent takes it out.
int CurlMulti::OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& multi = *static_cast<CurlMulti*>(self);
  Socket& socket = multi.At(fd);
  socket.wanted = ToEvents(what);
  if (socket.wanted == 0 && socket.own && socket.registered == EPOLLIN) return 0;
  multi.Register(fd, socket.wanted);
  return 0;
}

int CurlMulti::OnTimer(CURLM*, long timeout_ms, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.due_ = timeout_ms < 0 ? TimePoint::max() : Now() + Milliseconds(timeout_ms);
  return 0;
}

curl_socket_t CurlMulti::Open(void* self, curlsocktype, curl_sockaddr* address) {
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  auto& multi = *static_cast<CurlMulti*>(self);
  Socket& entry = multi.At(fd);
  entry.own = true;
  entry.registered = 0;
  // libcurl closed a socket of this number by itself (an attempt at another address) and may not ask again.
  if (entry.wanted != 0) multi.Register(fd, entry.wanted);
  return fd;
}

int CurlMulti::Close(void* self, curl_socket_t fd) {
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.Register(fd, 0);
  multi.At(fd) = Socket();
  return close(fd);
}

CurlMulti::Socket& CurlMulti::At(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(index + 64);
  return sockets_[index];
}

// What the kernel knows wins over what we remember: a descriptor closed behind our back is gone from the set.
void CurlMulti::Register(int fd, uint32_t events) {
  Socket& socket = At(fd);
  if (socket.registered == events) return;
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  const int set = epoll_.native_handle();
  if (events == 0) {
    epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
  } else if (epoll_ctl(set, socket.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0) {
    epoll_ctl(set, errno == EEXIST ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  }
  socket.registered = events;
}

void CurlMulti::Watch() {
  epoll_.async_wait(decltype(epoll_)::wait_read,
                    [this, alive = alive_](const boost::system::error_code& error) {
                      if (error || !*alive) return;
                      HandleEvents();
                      WatchAgain();
                    });
}

// After what the events woke up, for it costs a system call.
void CurlMulti::WatchAgain() {
  boost::asio::post(executor_, [this, alive = alive_] {
    if (*alive) Watch();
  });
}

void CurlMulti::HandleEvents() {
  std::array<epoll_event, kEventsPerTurn> events;
  const int count = epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    HandleEvent(event.data.fd, event.events);
  }
  Settle();
}

void CurlMulti::HandleEvent(int fd, uint32_t events) {
  if (At(fd).wanted == 0) {
    Register(fd, 0);
    return;
  }
  int running = 0;
  curl_multi_socket_action(multi_, fd, ToSelectBits(events), &running);
}

// After every entry into libcurl: calls it again as long as it says "at once", within reason, then hands out
// what ended.
void CurlMulti::Settle() {
  int running = 0;
  for (int turn = 0; turn < 4 && due_ <= Now(); ++turn) {
    due_ = TimePoint::max();
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  ReapEnded();
  ArmTimer();
}

void CurlMulti::ReapEnded() {
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    Ending* ending = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &ending);
    curl_multi_remove_handle(multi_, easy);
    ending->OnEnd(code);
  }
}

// The timer is only moved to the front: libcurl changes its mind with every transfer, and to be called early
// costs less than to set a timer each time.
void CurlMulti::ArmTimer() {
  if (due_ >= armed_for_) return;
  armed_for_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    armed_for_ = TimePoint::max();
    Settle();
  });
}

}  // namespace llm_router
